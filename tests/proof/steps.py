"""What the release's campaign runs, in this order."""

import os
from typing import NamedTuple


class Step(NamedTuple):
    name: str
    words: list  # {build}, {tests}: the two folders; {record}: the file; {seed}: another each time
    env: dict = {}
    draws: bool = False  # other cases each time: the runs add up
    goes_on: bool = False  # by its own record, after what that has


def python(name, *words, **more):
    return ["python3", "{tests}/" + name, *words], more


def step(name, words_and_more):
    words, more = words_and_more
    return Step(name, words, **more)


def unit(name, test, **more):
    return Step(name, ["{build}/tests/" + test], **more)


FUZZ_SECONDS = os.environ.get("FUZZ_SECONDS", "300")

STEPS = [
    step("tamper", python("fault/test_tamper.py", "{build}")),
    step("analysers", python("proof/analysers.py", "{build}", "--record", "{record}",
                             goes_on=True)),
    step("memcheck", python("proof/memcheck.py", "{build}")),
    unit("tamper-rows", "test_store_tamper"),
    unit("tamper-schemas", "test_store_schema"),
    unit("tamper-flips", "test_store_flip", env={"PSN_FLIP_STRIDE": "1"}),
    unit("costs", "test_kdf"),
    unit("spellings", "test_mailbox"),
    unit("lengths", "test_seal"),
    unit("model", "test_rotation_model"),
    unit("memory-store", "test_store_alloc", env={"PSN_ALLOC_ALL": "1"}),
    unit("memory-destruction", "test_destruction_alloc"),
    unit("memory-ovh", "test_ovh_memory"),
    unit("memory-age", "test_age_faults"),
    unit("memory-entries", "test_entry_faults"),
    Step("sweep", ["{build}/tests/fault_sweep", "--record", "{record}"], goes_on=True),
    unit("crash", "test_store_crash", env={"PSN_CRASH_SEEDS": "48", "PSN_CRASH_ALL": "1"}),
    unit("crash-rekey", "test_rekey_crash", env={"PSN_CRASH_SEEDS": "48", "PSN_CRASH_ALL": "1"}),
    step("tls", python("fault/test_net_tls.py", "{build}/tests/net_probe")),
    step("net", python("fault/test_net_bad.py", "{build}/tests/net_probe")),
    step("canary", python("fault/test_canary.py", "{build}")),
    step("forgeries", python("cli/test_forgeries.py", "{build}")),
    step("hostile", python("cli/test_hostile_issue.py", "{build}")),
    step("bad-days", python("cli/test_bad_days.py", "{build}")),
    step("vectors", python("interop/test_age_vectors.py", "{build}/passation-interop",
                           "{build}/tests/interop/node")),
    step("age-files", python("interop/test_age_refusals.py", "{build}/passation-interop",
                             "{build}/tests/interop/node")),
    step("signatures", python("interop/test_signatures.py", "{build}/passation-interop",
                              "{build}/tests/interop/node")),
    step("rotations", python("fault/rotation_campaign.py", "{build}", "--kills", "4000")),
    step("rotations-dovecot", python("fault/rotation_campaign.py", "{build}", "--kills", "400",
                                     "--imap", "dovecot")),
    step("families", python("fault/family_campaign.py", "{build}", "--kills", "4", "--whole",
                            "--patience", "60", "--workers", "8")),
    step("families-dovecot", python("fault/family_campaign.py", "{build}", "--kills", "1",
                                    "--imap", "dovecot")),
    step("migration", python("fault/migration.py", "{build}")),
    step("rekey", python("fault/rekey_kills.py", "{build}", "--every", "1")),
    step("restore", python("fault/restore_kills.py", "{build}", "--every", "1")),
    step("destruction", python("fault/rekey_kills.py", "{build}", "--every", "1", "--destroy")),
    step("imports", python("fault/import_kills.py", "{build}", "--every", "1")),
    step("issues", python("fault/test_issue_kills.py", "{build}", "--kills", "400")),
    step("grants", python("fault/test_grant_kills.py", "{build}")),
    step("departures-killed", python("fault/depart_campaign.py", "{build}", "kills", "--full")),
    step("departures-faults", python("fault/depart_campaign.py", "{build}", "faults", "--full")),
    step("handovers-killed", python("fault/handover_campaign.py", "{build}", "kills", "--all")),
    step("handovers-faults", python("fault/handover_campaign.py", "{build}", "faults", "--all")),
    step("clear", python("fault/test_clear.py", "{build}")),
    step("recipients", python("fault/test_recipients.py", "{build}")),
    step("planted", python("fault/test_planted.py", "{build}", "--all")),
    step("clipboard", python("cli/test_clipboard.py", "{build}")),
    step("clocks", python("fault/test_clocks.py", "{build}")),
    step("bombs", python("fault/test_bombs.py", "{build}")),
    step("power-cuts", python("fault/power_cuts.py", "{build}", "--cuts", "2500", "--seed",
                              "{seed}", draws=True)),
    step("full-disks", python("fault/test_full_disk.py", "{build}", "--runs", "500", "--seed",
                              "{seed}", draws=True)),
    step("compound", python("fault/test_compound.py", "{build}", "--pairs", "5000", "--seed",
                            "{seed}", draws=True)),
    step("races", python("fault/test_races.py", "{build}", "--processes", "50", "--seconds", "600",
                         "--seed", "{seed}", draws=True)),
    Step("passwords", ["{build}/tests/password_bias", "--count", "147000000", "--buffered",
                       "--tally", "{build}/passwords", "--record", "{record}"]),
    step("fuzz-libfuzzer", python("fuzz/campaign.py", "{build}/../fuzz", "--engine", "libfuzzer",
                                  "--seconds", FUZZ_SECONDS, "--corpus", "{build}/../corpus",
                                  "--record", "{record}", draws=True)),
    step("fuzz-afl", python("fuzz/campaign.py", "{build}/../afl", "--engine", "afl", "--seconds",
                            FUZZ_SECONDS, "--corpus", "{build}/../corpus", "--record", "{record}",
                            draws=True)),
    step("mutants-alive", python("proof/mutate.py", "--retry")),
    step("mutants", python("proof/mutate.py", "--count", "200", "--seed", "{seed}", "--record",
                           "{record}", goes_on=True)),
    step("coverage", python("proof/coverage.py", "{build}/../coverage", "--measure")),
    step("package", python("install/test_package.py", "{build}", "--bare")),
]
