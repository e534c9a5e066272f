"""Every kind of access that the simulator can have, once for somebody and once for another."""

SERVICES = {"pro": "pro.example", "mxplan": "mx.example", "exchange": "ex.example"}
RIGHTS = ("fullAccess", "sendAs", "sendOnBehalfTo")
ACCOUNT = "urn:v1:eu:identity:account:"


class Who:
    """All the names that one person has at OVH."""

    def __init__(self, name, number):
        self.name, self.email, self.nic = name, f"{name}@studio.example", f"{name}12345-ovh"
        self.login, self.client = name + "-login", name + "-client"
        self.key, self.application = str(number), str(number + 1)
        self.boxes = [f"{name}@{domain}" for domain in SERVICES.values()]
        self.aliases = [self.nic, self.login, self.client, self.key, self.application, *self.boxes]
        self.words = {self.email, ACCOUNT + self.nic, *self.aliases}

    def of(self, rows):
        """Those that are his, of what listed() gives."""
        return {row for row in rows if row[2] in self.words}


JP, AL = Who("jp", 7001), Who("al", 8001)
BOTH = (JP, AL)


def seed(domain, nic):
    """box0 and box1 of the domain, and a mailbox of each newer family, which both get into."""
    box = "box0@" + domain
    contacts = {"contacts": {"admin": nic, "tech": JP.nic, "billing": AL.nic}}
    return {
        "nics": [{"nichandle": who.nic} for who in BOTH],
        "applications": [{"nic": nic, "id": int(who.application), "key": who.name + "AppKey",
                          "secret": "s", "name": who.name} for who in BOTH],
        "credentials": [{"application_key": "SimAppKey0000002", "id": int(who.key),
                         "consumer_key": who.name + "Key", "nic": nic, "expiration": None,
                         "rules": [{"method": "GET", "path": "/*"}]} for who in BOTH],
        "oauth2_clients": [{"nic": nic, "client_id": who.client, "client_secret": "s"}
                           for who in BOTH],
        "users": [{"nic": nic, "login": who.login, "email": who.email,
                   "tokens": [{"name": "ci"}]} for who in BOTH],
        "policies": [{"nic": nic, "name": who.name,
                      "permissions": {"allow": [{"action": "*"}]},
                      "identities": [ACCOUNT + who.nic]}
                     for who in BOTH],
        "hosting": [{"nic": nic, "service": "h.example", **contacts}],
        "domains": [{
            "domain": domain, "nic": nic, **contacts, "acl": [who.nic for who in BOTH],
            "accounts": [
                {"name": name, "password": "First-Pass-0-word",
                 "delegations": [who.nic for who in BOTH],
                 "filters": [{"name": f"{who.name}-{name}", "action": "redirect",
                              "actionParam": who.email} for who in BOTH]}
                for name in ("box0", "box1")],
            "redirections": [{"from": f"{name}@{domain}", "to": who.email}
                             for who in BOTH for name in ("info", "box0")]
            + [{"from": box, "to": box}],
            "responders": [{"account": name, "content": "-", "copy": True, "copyTo": who.email}
                           for name, who in zip(("box0", "box1"), BOTH)],
            "mailing_lists": [{"name": "team", "owner": box, "replyTo": box,
                               "moderators": [who.email for who in BOTH],
                               "subscribers": [who.email for who in BOTH]}]}],
        "services": [{
            "family": family, "nic": nic, "service": family + "-1", "domains": [name],
            "organization": "exchange-1", **(contacts if family == "pro" else {}),
            "accounts": [{"name": who.name, "password": "First-Pass-0-word"} for who in BOTH]
            + [{"name": "boss", "password": "First-Pass-0-word",
                **{right: [f"{who.name}@{name}" for who in BOTH] for right in RIGHTS}}]}
            for family, name in SERVICES.items()]}


def listed(world, domain):
    """(kind, where, whose) of all that the simulator has."""
    state = world.control("GET", "/state")
    mail, at = state["domains"][domain], "/email/domain/" + domain
    ids = {row["id"]: row["address"] for row in state["mailboxes"] if "id" in row}
    rows = {("redirection", row["from"], row["to"]) for row in mail["redirections"].values()}
    rows |= {("responder", name, row["copyTo"]) for name, row in mail["responders"].items()}
    rows |= {("acl", domain, nic) for nic in mail["acl"]}
    rows |= {(kind, "team", who) for kind in ("_moderators", "_subscribers")
             for who in mail["lists"]["team"][kind]}
    rows |= {("api_key", "", key) for key, row in state["credentials"].items()
             if not row.get("_revoked")}
    rows |= {("api_application", "", key) for key in state["applications"]}
    rows |= {("user", "", row["login"]) for row in state["users"].values()}
    rows |= {("token", name, row["login"]) for row in state["users"].values()
             for name in row["_tokens"]}
    rows |= {("policy", row["name"], row["identities"][0])
             for row in state["policies"].values()}
    rows |= {("oauth", "", name) for name in world.call("/me/api/oauth2/client")}
    for name in ("box0", "box1"):
        rows |= {("delegation", name, nic)
                 for nic in world.call(f"{at}/account/{name}/delegation")}
        rows |= {("filter", name, world.call(f"{at}/account/{name}/filter/{rule}")
                  ["actionParam"]) for rule in world.call(f"{at}/account/{name}/filter")}
    services = [at, "/domain/" + domain, "/domain/zone/" + domain, "/hosting/web/h.example"]
    for family, name in SERVICES.items():
        service = {"exchange": "/email/exchange/exchange-1/service/exchange-1"}.get(
            family, f"/email/{family}/{family}-1")
        if family == "pro":  # the others' contacts have no call
            services.append(service)
        rows |= {(right, f"boss@{name}", ids[number]) for right in RIGHTS for number in
                 world.call(f"{service}/account/boss@{name}/{right}")}
    for service in services:
        infos = world.call(service + "/serviceInfos")
        rows |= {(kind, service, infos[kind]) for kind in ("contactTech", "contactBilling")}
    return rows
