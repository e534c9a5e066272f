#ifndef PSN_CLI_AGENT_MESSAGE_H
#define PSN_CLI_AGENT_MESSAGE_H

#include "cli/cli.h"
#include "cli/holder.h"

/*
 * What passation and its agent say to each other: docs/agent.md. Requests and answers
 * have one form of fixed size, and are read straight into locked memory, since they hold
 * keys.
 */
enum {
    CLI_MESSAGE_SIZE = 88,
    CLI_MESSAGE_SECONDS = 2, /* for a request and its answer: a local peer needs less */
    CLI_ANSWER_SECONDS = 5,  /* who asks waits longer than a peer before him may take */
};

enum cli_message_kind {
    CLI_ASK_GET = 1,
    CLI_ASK_PUT = 2,
    CLI_ASK_STATE = 3,
    CLI_ASK_LOCK = 4,
    CLI_ANSWER_OK = 128,
    CLI_ANSWER_NONE = 129,   /* it does not have this vault's key */
    CLI_ANSWER_FULL = 130,   /* it holds as many keys as it can */
    CLI_ANSWER_FAILED = 131, /* it could not do it */
    CLI_ANSWER_BUSY = 132,   /* another agent is at work */
};

/* Where fields lie. */
enum cli_message_field {
    CLI_FIELD_KIND = 5,
    CLI_FIELD_VAULT = 8,
    CLI_FIELD_SLOT = 24,
    CLI_FIELD_KEY = 40,
    CLI_FIELD_IDLE = 72,     /* seconds, big-endian */
    CLI_FIELD_ABSOLUTE = 80, /* seconds, big-endian */
};

/* A message with nothing but its kind. */
PSN_MUST_CHECK enum psn_code cli_message_new(enum cli_message_kind kind,
                                             struct psn_secret **ret_message,
                                             struct psn_error *err);
/* Wipes all but the kind. */
void cli_message_reset(struct psn_secret *message, enum cli_message_kind kind);

unsigned cli_message_kind(const struct psn_secret *message);
const uint8_t *cli_message_at(const struct psn_secret *message,
                              enum cli_message_field field);
void cli_message_put(struct psn_secret *message, enum cli_message_field field,
                     const uint8_t *bytes, size_t size);
void cli_message_put_number(struct psn_secret *message, enum cli_message_field field,
                            int64_t value);
int64_t cli_message_number(const struct psn_secret *message,
                           enum cli_message_field field);

PSN_MUST_CHECK bool cli_message_send(int fd, const struct psn_secret *message,
                                     int64_t deadline_boot_ms);
/* False if it does not come whole and in time, or is of another version. */
PSN_MUST_CHECK bool cli_message_receive(int fd, struct psn_secret *message,
                                        int64_t deadline_boot_ms);
/* The same in parts, for who has other things to heed: message, of size 0 at first, grows
 * by what has come. False: hang up. */
PSN_MUST_CHECK bool cli_message_receive_some(int fd, struct psn_secret *message);
bool cli_message_is_whole(const struct psn_secret *message);

/* How `lock` finds an agent that does not answer (holder.h). */
extern const struct cli_holder cli_agent_holder;

/* The socket's address: "agent.sock" in folder, by way of *ret_fd when the path is too
 * long for an address. The caller closes *ret_fd (-1: none). */
struct sockaddr_un;
PSN_MUST_CHECK enum psn_code cli_message_address(const char *folder,
                                                 struct sockaddr_un *ret_address,
                                                 int *ret_fd, struct psn_error *err);

#endif
