"""What the tests of the newer mail families share: a seed with one service of each, and
the paths of their mailboxes."""

import simlib

NIC = "xy000000-ovh"
OLD = "Ancien-mot-2024!"
NEW = "Nouveau-mot-2026!"
PLATFORM = "00000000-0000-4000-8000-0000000000aa"
POLICY = {"minPasswordLength": 10, "complexityEnabled": True}


def service(family, domain, **more):
    entry = {
        "family": family,
        "nic": NIC,
        "domains": [domain],
        "accounts": [
            {"name": "contact", "password": OLD, "displayName": "Accueil Martin"},
            {"name": "technique", "password": OLD},
        ],
        "free_slots": 1,
    }
    entry.update(more)
    return entry


def seed():
    return {
        "services": [
            service("mxplan", "owa.example", service="mxplan-owa", policy=POLICY),
            service("mxplan", "mxz.example", service="mxplan-zim", zimbra=True),
            service("pro", "pro.example", service="emailpro-1", policy=POLICY),
            service("exchange", "ex.example", service="hosted-1", organization="org-1"),
            service("zimbra", "z.example", service=PLATFORM),
        ]
    }


# Of each family with slots: the path of its service, its domain, the word for tasks.
SLOTS = {
    "owa": ("/email/mxplan/mxplan-owa", "owa.example", "task"),
    "mxz": ("/email/mxplan/mxplan-zim", "mxz.example", "task"),
    "pro": ("/email/pro/emailpro-1", "pro.example", "tasks"),
    "exchange": ("/email/exchange/org-1/service/hosted-1", "ex.example", "tasks"),
}
ZIMBRA = "/v2/zimbra/platform/" + PLATFORM


class World(simlib.Sim):
    """A simulator with all of them, on the built-in mail server unless told otherwise."""

    def fresh(self, **settings):
        self.reset(**settings)
        return self.order("POST", "/seed", seed())

    def box(self, family, name="contact"):
        at, domain, _ = SLOTS[family]
        return "%s/account/%s@%s" % (at, name, domain)

    def zimbra(self, email="contact@z.example"):
        """The resource of a mailbox of the second version."""
        found = self.get(ZIMBRA + "/account?email=" + email)
        return found[0] if found else None

    def run_tasks(self):
        return self.order("POST", "/task/run")["ended"]

    def in_force(self, address):
        return self.mailbox(address)["password"]
