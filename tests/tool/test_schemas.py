#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each command has a schema, and each schema is one."""

import json
import re

from tooltest import jsonschema, main


def commands(tool):
    """The commands, as the tool itself says."""
    text = tool.run("--help").stdout.decode()
    return re.findall(r"^  ([a-z]+) +\S", text, re.M)


def objects(schema):
    """Each part of a schema that describes an object."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for part in schema.values():
            yield from objects(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from objects(part)


def test(tool):
    folder = tool.source / "tools" / "vtdpi" / "schema"
    there = {path.stem for path in folder.glob("*.json")}
    tool.tap.say(there == set(commands(tool)) and len(there) > 8,
                 "each command has a schema", there ^ set(commands(tool)))
    for name in sorted(there):
        schema = json.loads((folder / f"{name}.json").read_text())
        if jsonschema is None:
            tool.tap.skip(f"{name} is a schema", "needs python3-jsonschema")
        else:
            jsonschema.Draft7Validator.check_schema(schema)
            tool.tap.say(schema.get("$schema", "").endswith("draft-07/schema#"),
                         f"{name} is a schema")
        tool.tap.say(schema["title"] == f"vtdpi {name} --json" and
                     schema.get("description"), f"{name} says what it is")
        loose = [o for o in objects(schema) if "additionalProperties" not in o]
        tool.tap.say(not loose, f"{name} says all members of its objects",
                     *loose[:1])


if __name__ == "__main__":
    main(test)
