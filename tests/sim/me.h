#ifndef SIM_ME_H
#define SIM_ME_H

#include "call.h"

sim_handler sim_me_get;
sim_handler sim_me_credentials;
sim_handler sim_me_credential;
sim_handler sim_me_delete_credential;
sim_handler sim_me_credential_application;
sim_handler sim_me_applications;
sim_handler sim_me_application;
sim_handler sim_me_delete_application;

#endif
