"""Shows that check_protos.py finds what it is there to find: one planted breach a rule.

    test_check_protos.py [INCLUDE]    where google/protobuf lies, /usr/include
"""

import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import check_protos
import descriptors

INCLUDE = sys.argv.pop(1) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else "/usr/include"

GOOD = '''syntax = "proto3";
package netscope.v1;
import "google/protobuf/timestamp.proto";
// A colour.
enum Colour {
  COLOUR_UNSPECIFIED = 0;
  COLOUR_RED = 1;
}
// What is asked.
message GetThingRequest {
  reserved 7, 9 to 11;
  reserved "old";
  string id = 1;
  oneof size_value { uint32 size = 2; }
}
// What is answered.
message GetThingResponse {
  google.protobuf.Timestamp time = 1;
  repeated Colour colours = 2;
}
// Things.
service ThingService {
  // One.
  rpc GetThing(GetThingRequest) returns (GetThingResponse);
}
'''

# What is put for what in the good file, and a part of the one sentence that has to come of it.
STYLE = [
    ("package netscope.v1;", "package netscope.things;", "ends in no version"),
    ("package netscope.v1;", "package netscope.v2;", "lies in netscope/v1"),
    ("import \"google/protobuf/timestamp.proto\";",
     "import \"google/protobuf/timestamp.proto\";\nimport \"google/protobuf/duration.proto\";", "uses nothing of it"),
    ("import \"google", "import public \"google", "public or weak import"),
    ("// A colour.\n", "", "Colour has no comment"),
    ("// What is asked.\n", "", "GetThingRequest has no comment"),
    ("// Things.\n", "", "ThingService has no comment"),
    ("  // One.\n", "", "ThingService.GetThing has no comment"),
    ("COLOUR_UNSPECIFIED", "COLOUR_NONE", "is COLOUR_UNSPECIFIED"),
    ("COLOUR_RED", "RED", "does not begin with COLOUR_"),
    ("COLOUR_RED", "COLOUR_red", "UPPER_SNAKE"),
    ("COLOUR_RED = 1;", "option allow_alias = true; COLOUR_RED = 1; COLOUR_ROUGE = 1;", "aliases"),
    ("string id", "string Id", "lower_snake_case"),
    ("size_value", "sizeValue", "lower_snake_case"),
    ("string id = 1;", "optional string id = 1;", "optional"),
    ("string id = 1;", "map<string, string> id = 1;", "a map"),
    ("string id = 1;", "GetThingRequest id = 1;", "contains itself"),
    ("enum Colour", "enum colour", "PascalCase"),
    ("service ThingService", "service Things", "ends in Service"),
    ("rpc GetThing(GetThingRequest)", "rpc FetchThing(GetThingRequest)", "is called GetThing"),
    ("rpc GetThing(GetThingRequest) returns (GetThingResponse);",
     "rpc GetThing(GetThingRequest) returns (GetThingResponse);\n"
     "  // Again.\n  rpc ThingServiceGetThing(GetThingRequest) returns (GetThingResponse);", "as well"),
]

BREAKS = [
    ("string id = 1;", "", "id = 1 is gone"),
    ("string id = 1;", "string name = 1;", "name was id"),
    ("string id = 1;", "bytes id = 1;", "type was"),
    ("string id = 1;", "repeated string id = 1;", "repeated was False"),
    ("string id = 1;", "string id = 1 [json_name = \"ID\"];", "JSON name was id"),
    ("oneof size_value { uint32 size = 2; }", "uint32 size = 2;", "size_value"),
    ("reserved 7, 9 to 11;", "reserved 7, 9 to 10;", "free again"),
    ("  reserved \"old\";\n", "", "old is free again"),
    ("COLOUR_RED = 1;", "COLOUR_BLUE = 1;", "called otherwise"),
    ("COLOUR_RED = 1;", "COLOUR_RED = 2;", "COLOUR_RED = 1 is gone"),
    ("returns (GetThingResponse)", "returns (stream GetThingResponse)", "streaming changed"),
    ("rpc GetThing(", "rpc TakeThing(", "GetThing is gone"),
    ("service ThingService", "service ItemService", "service ThingService is gone"),
    ("Colour", "Color", "enum Colour is gone"),
    ("message GetThingResponse {", "message GetItemResponse {", "message GetThingResponse is gone"),
]

ADDED = GOOD.replace("string id = 1;", "string id = 1;\n  string kind = 3;").replace(
    "COLOUR_RED = 1;", "COLOUR_RED = 1;\n  COLOUR_BLUE = 2;")


class ProtosTest(unittest.TestCase):
    def compile(self, text, name="thing.proto"):
        with tempfile.TemporaryDirectory(prefix="netscope-test-") as folder:
            path = Path(folder) / "netscope" / "v1" / name
            path.parent.mkdir(parents=True)
            path.write_text(text, encoding="utf-8")
            try:
                return descriptors.read_set(descriptors.compile_protos(folder, INCLUDE))
            except subprocess.CalledProcessError as error:
                self.fail(error.stderr)

    def replaced(self, before, after):
        self.assertIn(before, GOOD)
        return GOOD.replace(before, after)

    def test_the_good_file_is_good(self):
        self.assertEqual(list(check_protos.check_style(self.compile(GOOD))), [])

    def test_style(self):
        for before, after, sentence in STYLE:
            with self.subTest(sentence=sentence, after=after):
                text = self.replaced(before, after)
                if "enum colour" in after:
                    text = text.replace("repeated Colour", "repeated colour")
                problems = list(check_protos.check_style(self.compile(text)))
                self.assertTrue(any(sentence in problem for problem in problems), problems)

    def test_the_name_of_the_file(self):
        problems = list(check_protos.check_style(self.compile(GOOD, "Thing.proto")))
        self.assertEqual(len(problems), 1, problems)
        self.assertIn("file's name", problems[0])

    def test_the_syntax(self):
        text = 'package netscope.v1;\n// A colour.\nenum Colour { COLOUR_UNSPECIFIED = 0; }\n'
        self.assertIn("says no syntax", "".join(check_protos.check_style(self.compile(text))))

    def test_breaks(self):
        before = self.compile(GOOD)
        for old, new, sentence in BREAKS:
            with self.subTest(sentence=sentence):
                text = self.replaced(old, new)
                if "GetItemResponse" in new:
                    text = text.replace("(GetThingResponse)", "(GetItemResponse)")
                problems = list(check_protos.check_breaks(before, self.compile(text)))
                self.assertTrue(any(sentence in problem for problem in problems), problems)

    def test_a_file_that_is_gone(self):
        before, now = self.compile(GOOD), self.compile(GOOD, "item.proto")
        self.assertIn("the file is gone", "".join(check_protos.check_breaks(before, now)))

    def test_additions_break_nothing(self):
        self.assertEqual(list(check_protos.check_breaks(self.compile(GOOD), self.compile(ADDED))), [])


if __name__ == "__main__":
    if not shutil.which("protoc-c"):
        print("protoc-c is not there")
        sys.exit(77)
    unittest.main()
