#ifndef SIM_KEEPER_H
#define SIM_KEEPER_H

#include <stdbool.h>

/* The process that owns Dovecot. It ends with the simulator, even if that is killed, and
 * takes Dovecot and the directory with it. */
struct sim_keeper;

/* dir: holds dovecot.conf, and is removed at the end. out_dir: gets dovecot.out. */
struct sim_keeper *sim_keeper_start(const char *dir, const char *out_dir);

/* Starts Dovecot, or ends it. Returns when that has been done. */
void sim_keeper_run(struct sim_keeper *keeper, bool up);
bool sim_keeper_child_lives(struct sim_keeper *keeper);
void sim_keeper_stop(struct sim_keeper *keeper);

void sim_keeper_remove_tree(const char *dir);

#endif
