"""OVH's official Node client against the simulator, on port 443 of 127.0.0.2 (the client
signs URLs without a port). Skipped where it is not installed, or without root."""

import os
import shutil
import subprocess
import sys
import unittest

import simlib

PLACE = os.environ.get("PASSATION_SIM_NODE", "")
NODE = os.environ.get("PASSATION_NODE") or shutil.which("node")


class NodeClient(unittest.TestCase):
    def test_the_official_client(self):
        options = ("--no-imap", "--listen", "127.0.0.2", "--port", "443")
        with simlib.Sim(*options) as sim:
            self.assertEqual(sim.endpoint, "https://127.0.0.2/1.0")
            environment = dict(os.environ, NODE_EXTRA_CA_CERTS=sim.ready["ca"])
            for name in ("HTTPS_PROXY", "https_proxy", "NODE_OPTIONS"):
                environment.pop(name, None)
            run = subprocess.run(
                [
                    NODE,
                    os.path.join(PLACE, "node-client.mjs"),
                    os.path.join(sim.dir, "ready.json"),
                ],
                env=environment,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            self.assertEqual(run.returncode, 0, run.stderr)
            print(run.stdout.strip())
            counters = sim.order("GET", "/state")["counters"]
            self.assertEqual(counters["refused_auth"], 4)


if __name__ == "__main__":
    if os.geteuid() != 0 or not NODE:
        print("skipped: needs root and Node")
        sys.exit(77)
    if not os.path.isdir(os.path.join(PLACE, "node_modules", "@ovhcloud", "node-ovh")):
        print("skipped: the client is not installed (target sim-node-modules)")
        sys.exit(77)
    unittest.main()
