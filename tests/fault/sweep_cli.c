/* The program itself, under another name: this one has a main() of its own. */
int passation_main(int argc, char **argv);
#define main passation_main
#include "cli/main.c"
