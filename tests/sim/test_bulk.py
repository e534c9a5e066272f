"""Thousands of mailboxes, many connections at once, latency, and a rate for each key."""

import concurrent.futures
import threading
import time
import unittest

import familylib
from familylib import NEW, NIC, OLD

CONNECTIONS = 96
PER_CONNECTION = 5


class Bulk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sim = familylib.World("--imap-responder")

    @classmethod
    def tearDownClass(cls):
        cls.sim.stop()

    def seed(self, family, count, domain="bulk.example", **more):
        entry = {"family": family, "nic": NIC, "domains": [domain]}
        entry["bulk"] = {"prefix": "b", "count": count, "password": OLD}
        entry.update(more)
        return self.sim.order("POST", "/seed", {"services": [entry]})["services"][0]

    def test_many_connections_are_served_at_once_and_kept(self):
        self.sim.fresh(latency_ms=200)
        barrier = threading.Barrier(CONNECTIONS)

        def serve(_):
            link = self.sim.connect(timeout=60)
            link.connect()
            barrier.wait(60)
            began = time.monotonic()
            socket = link.sock
            for _ in range(PER_CONNECTION):
                answer = self.sim.call("GET", "/email/pro", connection=link)
                self.assertEqual(answer.status, 200)
            self.assertIs(link.sock, socket)
            link.close()
            return began, time.monotonic()

        with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
            spans = list(pool.map(serve, range(CONNECTIONS)))
        took = max(end for _, end in spans) - min(begin for begin, _ in spans)
        one_by_one = CONNECTIONS * PER_CONNECTION * 0.2
        self.assertGreaterEqual(took, PER_CONNECTION * 0.2)
        self.assertLess(took, one_by_one / 4)

    def test_thousands_of_mailboxes_cost_what_they_should(self):
        def change(count):
            self.sim.fresh(task_delay_ms=0)
            began = time.monotonic()
            made = self.seed("pro", count)
            at = "/email/pro/%s/account" % made["service"]
            link = self.sim.connect(timeout=60)
            names = self.sim.get(at, connection=link)
            self.assertEqual(len(names), count)
            for name in names[:: count // 500]:
                path = "%s/%s/changePassword" % (at, name)
                answer = self.sim.call("POST", path, {"password": NEW}, connection=link)
                self.assertEqual(answer.status, 200)
            link.close()
            return time.monotonic() - began

        small, large = change(1000), change(8000)
        # Eight times the mailboxes, as many calls: nowhere near sixty-four times as long.
        self.assertLess(large, 16 * small)

    def test_thousands_of_waiting_tasks_end_when_they_are_due(self):
        self.sim.fresh(task_delay_ms=86400000)
        made = self.seed("zimbra", 2000)
        at = "/v2/zimbra/platform/%s/account" % made["service"]
        link = self.sim.connect(timeout=60)
        headers = {"X-Pagination-Size": "1000"}
        page = self.sim.call("GET", at, connection=link, headers=headers)
        self.assertEqual(len(page.json), 1000)
        for box in page.json:
            body = {"targetSpec": {"password": NEW}}
            self.sim.call("PUT", at + "/" + box["id"], body, connection=link)
        link.close()
        self.assertEqual(self.sim.order("POST", "/task/run")["ended"], 1000)
        self.assertEqual(self.sim.in_force("b00001@bulk.example"), NEW)
        self.assertEqual(self.sim.in_force("b01001@bulk.example"), OLD)

    def test_each_key_has_a_rate_of_its_own(self):
        self.sim.fresh(rate_retry_after_s=3)
        seed = {"applications": [{"nic": NIC, "key": "BulkApp", "secret": "BulkSecret"}]}
        rules = [{"method": "GET", "path": "/*"}]
        seed["credentials"] = [
            {
                "application_key": "BulkApp",
                "consumer_key": "BulkKey%d" % n,
                "rules": rules,
                "rate_per_min": rate,
                "rate_burst": 5,
            }
            for n, rate in enumerate((60, 6000))
        ]
        self.sim.order("POST", "/seed", seed)
        key, secret = self.sim.key, self.sim.secret
        self.sim.key, self.sim.secret = "BulkApp", "BulkSecret"
        try:
            slow = [self.get("BulkKey0") for _ in range(8)]
            fast = [self.get("BulkKey1", wait=0.02) for _ in range(8)]
        finally:
            self.sim.key, self.sim.secret = key, secret
        self.assertEqual([a.status for a in slow[:5]], [200] * 5)
        self.assertEqual(slow[-1].status, 429)
        self.assertEqual(slow[-1].headers["Retry-After"], "3")
        self.assertEqual({a.status for a in fast}, {200})
        change = {"consumer_key": "BulkKey0", "rate_per_min": 0}
        self.sim.order("POST", "/set", {"credential": change})
        self.sim.key, self.sim.secret = "BulkApp", "BulkSecret"
        try:
            self.assertEqual(self.get("BulkKey0").status, 200)
        finally:
            self.sim.key, self.sim.secret = key, secret

    def get(self, consumer, wait=0.0):
        time.sleep(wait)
        return self.sim.call("GET", "/email/pro", consumer=consumer)


if __name__ == "__main__":
    unittest.main()
