#ifndef PASSATION_H
#define PASSATION_H

/* libpassation: a credential vault and delegation handover tool for OVH mail. */

#include "passation/age.h"
#include "passation/client.h"
#include "passation/error.h"
#include "passation/finding.h"
#include "passation/journal.h"
#include "passation/page.h"
#include "passation/role.h"
#include "passation/rotation.h"
#include "passation/secret.h"
#include "passation/signature.h"
#include "passation/stream.h"
#include "passation/vault.h"

#endif
