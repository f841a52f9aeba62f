#!/usr/bin/env python3
"""scripts/bench_figures.py: figures between a document's marks, and which bars are missed.

usage: test_bench_figures.py SCRIPTS
"""
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
SCRIPTS = pathlib.Path(sys.argv.pop(1))
sys.path.insert(0, str(SCRIPTS))
import bench_figures as figures  # noqa: E402


def result(**kw):
    base = {"dir": "out", "mode": "transport", "ip": 4, "integ": "hmac-sha-1-96", "encr": "aes-cbc", "size": 512, "sas": 1,
            "workers": 1, "mpps": 5.0, "cycles_per_packet": 400.0, "efficiency": 0.84, "stages": {"poll": 5, "crypto": 330}}
    return {**base, **kw}


class Figures(unittest.TestCase):
    def test_bars(self):
        done = {"size": [result(), result(dir="in", efficiency=0.82)],
                "sas": [result(), result(sas=1_000_000, mpps=3.55), result(sas=4_000_000, mpps=3.75, bytes_per_sa=242.0),
                        result(dir="in", stages={"poll": 4, "classify": 19, "crypto": 257})],
                "tunnel": [result(mode="udp-enc-tun", cycles_per_packet=420.0)],
                "workers": [result(), result(workers=2, mpps=9.0)]}
        churn = [{"sa_ops_per_s": 3e6, "lost": 0, "worst_gap_us": 120.0, "quiet_gap_us": 90.0, "gaps_over_100us": 1,
                  "quiet_gaps_over_100us": 0}]
        compare = [{"dir": "out", "size": 512, "esplanade_mpps": 5, "secgw_mpps": 4, "ratio": 1.25, "ratios": [1.2, 1.3]}]
        text = figures.fragment(done, churn, compare, "a machine", "scripts/bench", (0.5, 1.0))
        lines = text.splitlines()
        row = lambda start: next(l for l in lines if l.startswith("| " + start))
        self.assertTrue(row("out, aes-cbc, 512 B").endswith("| 0.83 |"))
        self.assertIn("0.83: missed", row("in, aes-cbc, 512 B"))
        self.assertIn("0.71 | 0.8: missed", row("out, 1,000,000"))
        self.assertIn("0.75 | 0.72 | 242", row("out, 4,000,000"))
        self.assertIn("| - | 19 |", row("classify"))
        self.assertIn("+5.0 % | +8 % |", row("UDP-encapsulated tunnel, out"))
        self.assertIn("1.80 of one | 1.9: missed", row("two workers, out"))
        self.assertIn("100: missed", row("worst gap"))
        self.assertIn("1.45: missed", row("out, 512 B"))

    def test_nothing_measured(self):
        self.assertIn("a machine", figures.fragment({}, [], [], "a machine", "scripts/bench", (0, 0)))

    def test_marks(self):
        with tempfile.TemporaryDirectory() as d:
            path = pathlib.Path(d) / "doc.md"
            path.write_text(f"before\n{figures.BEGIN}\nold\n{figures.END}\nafter\n")
            figures.write(path, "new\n")
            self.assertEqual(path.read_text(), f"before\n{figures.BEGIN}\nnew\n{figures.END}\nafter\n")
            figures.write(path.with_name("alone.md"), "new\n")
            self.assertEqual(path.with_name("alone.md").read_text(), "new\n")

    def test_the_document_has_the_marks(self):
        text = (SCRIPTS.parent / "docs" / "performance.md").read_text()
        self.assertEqual((text.count(figures.BEGIN), text.count(figures.END)), (1, 1))


if __name__ == "__main__":
    unittest.main()
