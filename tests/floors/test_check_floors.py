"""Shows that check_floors.py finds what it is there to find, on small trees made for it."""

import subprocess
import tempfile
import unittest
from pathlib import Path

import check_floors


class FloorsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="netscope-test-")
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def write(self, path, text):
        target = self.root / "src" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def expect(self, *words):
        problems = check_floors.check(self.root)
        self.assertEqual(len(problems), 1, problems)
        for word in words:
            self.assertIn(word, problems[0])

    def test_accepts_lower_floors_and_own_third_party(self):
        self.write("base/error.h", "#include <stdbool.h>\n")
        self.write("capture/live.c", '#include <pcap/pcap.h>\n#include "base/error.h"\n#include "live.h"\n')
        self.write("capture/live.h", "#include <sys/socket.h>\n")
        self.write("capture/CMakeLists.txt", "netscope_folder(capture SOURCES live.c FLOORS base net)\n")
        self.assertEqual(check_floors.check(self.root), [])

    def test_finds_an_include_upwards(self):
        self.write("flow/table.c", '#include "pipeline/shard.h"\n')
        self.expect("src/flow/table.c", "pipeline is on floor 5")

    def test_finds_an_include_on_the_same_floor(self):
        self.write("capture/file.h", '#include "decode/packet.h"\n')
        self.expect("decode is on floor 2, capture on 2")

    def test_finds_a_link_upwards(self):
        self.write("net/CMakeLists.txt", "netscope_folder(net\n  SOURCES address.c\n  FLOORS base flow)\n")
        self.expect("src/net/CMakeLists.txt", "links flow")

    def test_finds_a_link_by_target_name(self):
        self.write("net/CMakeLists.txt", "target_link_libraries(netscope_net PUBLIC netscope_config)\n")
        self.expect("links config")

    def test_finds_a_third_party_header_of_another_folder(self):
        self.write("flow/table.c", "#include <zlib.h>\n")
        self.expect("belongs to capture, export")

    def test_finds_a_third_party_header_in_a_header(self):
        self.write("config/yaml_file.h", "#include <yaml.h>\n")
        self.expect("in a header of ours")

    def test_finds_an_unknown_third_party_header(self):
        self.write("flow/table.c", "#include <glib.h>\n")
        self.expect("unknown third-party header")

    def test_finds_a_quoted_include_that_leads_nowhere(self):
        self.write("flow/table.c", '#include "pcap_guts.h"\n')
        self.expect("neither a folder of src/")

    def test_finds_a_folder_without_floor(self):
        self.write("misc/CMakeLists.txt", "netscope_folder(misc SOURCES a.c)\n")
        self.expect("has no floor")

    def test_finds_a_call_upwards_that_no_include_shows(self):
        self.library("base", "int shard_run(void);\nint base_run(void) { return shard_run(); }\n")
        self.library("pipeline", "int shard_run(void) { return 1; }\n")
        problems = list(check_floors.check_symbols(self.root))
        self.assertEqual(len(problems), 1, problems)
        self.assertIn("calls shard_run() of pipeline", problems[0])

    def library(self, folder, text):
        self.write(f"{folder}/one.c", text)
        place = self.root / "src" / folder
        subprocess.run(["cc", "-c", "one.c", "-o", "one.o"], cwd=place, check=True)
        subprocess.run(["ar", "rc", f"libnetscope_{folder}.a", "one.o"], cwd=place, check=True)


if __name__ == "__main__":
    unittest.main(verbosity=2)
