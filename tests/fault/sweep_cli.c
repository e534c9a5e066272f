/* The program itself, under another name: this one has a main() of its own. */
int passation_main(int argc, char **argv);
#define main passation_main
/* NOLINTNEXTLINE(bugprone-suspicious-include): all of it, as it is. */
#include "cli/main.c"
