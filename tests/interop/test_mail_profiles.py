"""Apple's property list and Thunderbird's XML hold what was asked for, whatever the names,
and no password."""

import json
import plistlib
import re
import sys
import xml.etree.ElementTree as ElementTree

from tool import Cases, Place, equal, exits, says, tool, true

SETTINGS = {"address": "contact@boulangerie-martin.fr", "organization": "Nadia",
            "imap": {"host": "imap.mail.ovh.net", "port": 993, "security": "SSL/TLS"},
            "smtp": {"host": "pro1.mail.ovh.net", "port": 587, "security": "STARTTLS"}}
NAMES = ["Nadia <b> & \"fils\"'", "</string><key>IncomingPassword</key><string>x",
         "]]> &amp; <!ENTITY x>", "é 日本 🔑", "%EMAILADDRESS%"]


def made(place, kind, settings):
    place.write("settings", json.dumps(settings))
    return exits(tool("profile", kind, place.path("settings")), 0).stdout


def check_apple(place, settings):
    profile = plistlib.loads(made(place, "apple", settings))
    account, = profile.pop("PayloadContent")
    address, user = settings["address"], settings.get("user", settings["address"])
    ids = [profile.pop("PayloadUUID"), account.pop("PayloadUUID")]
    for one in ids:
        true(re.fullmatch("[0-9A-F]{8}-[0-9A-F]{4}-8[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}",
                          one), one)
    true(ids[0] != ids[1], "one UUID for both")
    equal(profile, {"PayloadType": "Configuration", "PayloadVersion": 1,
                    "PayloadIdentifier": f"passation.mail.{ids[0]}",
                    "PayloadDisplayName": address,
                    "PayloadOrganization": settings.get("organization", "")}, "profile")
    equal(account, {
        "PayloadType": "com.apple.mail.managed", "PayloadVersion": 1,
        "PayloadIdentifier": f"passation.mail.{ids[0]}.account", "PayloadDisplayName": address,
        "EmailAccountDescription": address, "EmailAccountName": settings.get("name", address),
        "EmailAccountType": "EmailTypeIMAP", "EmailAddress": address,
        "IncomingMailServerAuthentication": "EmailAuthPassword",
        "IncomingMailServerHostName": settings["imap"]["host"],
        "IncomingMailServerPortNumber": settings["imap"]["port"],
        "IncomingMailServerUseSSL": True, "IncomingMailServerUsername": user,
        "OutgoingMailServerAuthentication": "EmailAuthPassword",
        "OutgoingMailServerHostName": settings["smtp"]["host"],
        "OutgoingMailServerPortNumber": settings["smtp"]["port"],
        "OutgoingMailServerUseSSL": True, "OutgoingMailServerUsername": user,
        "OutgoingPasswordSameAsIncomingPassword": True}, "account")
    return ids


def server(element):
    return dict(element.attrib, **{child.tag: child.text for child in element})


def expected(kind, settings, user):
    socket = {"SSL/TLS": "SSL", "STARTTLS": "STARTTLS"}[settings["security"]]
    return {"type": kind, "hostname": settings["host"], "port": str(settings["port"]),
            "socketType": socket, "authentication": "password-cleartext", "username": user}


def check_thunderbird(place, settings):
    root = ElementTree.fromstring(made(place, "autoconfig", settings))
    provider, = root
    domain = settings["address"].partition("@")[2]
    user = settings.get("user", settings["address"])
    user = "%EMAILADDRESS%" if user == settings["address"] else user
    equal((root.tag, root.attrib, provider.tag, provider.attrib),
          ("clientConfig", {"version": "1.1"}, "emailProvider", {"id": domain}), "top")
    equal([(child.tag, child.text) for child in provider[:3]],
          [("domain", domain), ("displayName", domain), ("displayShortName", domain)], "names")
    equal([child.tag for child in provider[3:]], ["incomingServer", "outgoingServer"], "servers")
    equal(server(provider[3]), expected("imap", settings["imap"], user), "imap")
    equal(server(provider[4]), expected("smtp", settings["smtp"], user), "smtp")


def main():
    cases = Cases()
    with Place() as place:
        with cases.case("the usual settings, and the same UUIDs each time"):
            ids = check_apple(place, SETTINGS)
            equal(check_apple(place, {**SETTINGS, "name": "Nadia", "organization": "B"}), ids,
                  "UUIDs")
            true(check_apple(place, {**SETTINGS, "address": "sav@martin.fr"}) != ids, "UUIDs")
            check_thunderbird(place, SETTINGS)
        for name in NAMES:
            with cases.case(f"a name is a name: {name}"):
                hostile = {**SETTINGS, "name": name, "organization": name, "user": name,
                           "address": name.replace("@", "") + "@" + name}
                check_apple(place, hostile)
                check_thunderbird(place, hostile)
        for what, more in (("a line end", {"name": "a\nb"}), ("an escape", {"user": "a\u001bb"}),
                           ("no address", {"address": ""}), ("U+FFFF", {"name": "\uffff"}),
                           ("no port", {"imap": {"host": "a", "security": "SSL/TLS"}}),
                           ("no TLS", {"smtp": {"host": "a", "port": 25, "security": "none"}})):
            with cases.case(f"refused: {what}"):
                place.write("settings", json.dumps({**SETTINGS, **more}))
                for kind in ("apple", "autoconfig"):
                    says(tool("profile", kind, place.path("settings")), 2, "settings")
    return cases.finish()


if __name__ == "__main__":
    sys.exit(main())
