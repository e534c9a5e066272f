#ifndef PASSATION_H
#define PASSATION_H

/* libpassation: a credential vault and delegation handover tool for OVH mail. */

#include "passation/access.h"
#include "passation/age.h"
#include "passation/client.h"
#include "passation/contact.h"
#include "passation/departure.h"
#include "passation/destruction.h"
#include "passation/doctor.h"
#include "passation/due.h"
#include "passation/entry.h"
#include "passation/envelope.h"
#include "passation/error.h"
#include "passation/exposure.h"
#include "passation/extract.h"
#include "passation/finding.h"
#include "passation/foreign.h"
#include "passation/grant.h"
#include "passation/handover.h"
#include "passation/intake.h"
#include "passation/journal.h"
#include "passation/otp.h"
#include "passation/overview.h"
#include "passation/page.h"
#include "passation/person.h"
#include "passation/profile.h"
#include "passation/received.h"
#include "passation/role.h"
#include "passation/rotation.h"
#include "passation/secret.h"
#include "passation/signature.h"
#include "passation/stream.h"
#include "passation/vault.h"

#endif
