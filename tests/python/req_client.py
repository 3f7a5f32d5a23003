#!/usr/bin/env python3
"""A plain ZeroMQ REQ client that drives an image through every command of the protocol page.

It shares nothing with the rest of the project: the shapes below are read off the tables of
docs/PROTOCOL.md. It needs pyzmq and nothing else.

    req_client.py ENDPOINT [--events ENDPOINT] [--save-image] [--daemon]

Prints one line for each command and exits with 1 when a reply has not the promised shape.
`--save-image` also saves the image, which an image in use may not want. `--daemon` says that the
endpoint is the front end of a daemon, which differs in two things: `list_sessions` is its own, and
a busy session queues what comes.
"""

import argparse
import json
import re
import sys
import time
import uuid

import zmq

PATIENCE_MS = 30_000
RFC3339_UTC = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")

# Shapes: a type, a tuple of types, a set of allowed strings, a one-element list (all elements are
# so), or an object as a dict. A key that ends in "?" may be absent or null.
NUMBER = (int, float)
TIME = RFC3339_UTC

CLASS_INFO = {
    "name": str,
    "superclass?": str,
    "comment": str,
    "package": str,
    "is_system": bool,
}
METHOD = {
    "name": str,
    "source": str,
    "category": str,
    "is_class_method": bool,
    "arguments": [str],
    "comment": str,
}
FIELD = {
    "name": str,
    "kind": {"instance_variable", "index", "key", "property"},
    "class_name": str,
    "string_representation": str,
    "expandable": bool,
}
VARIABLE = {"name": str, "class_name": str, "string_representation": str}
FRAME = {"method": str, "line": int}
SESSION = {
    "session_id": str,
    "client_id": str,
    "name?": str,
    "created_at": TIME,
    "timeout": NUMBER,
    "is_active": bool,
}
SESSION_INFO = SESSION | {
    "last_modified": TIME,
    "time_until_expiry?": NUMBER,
    "is_expired": bool,
    "busy": bool,
    "evaluations": int,
    "variables": int,
}
RUNNING = {"state": {"running"}, "evaluation_id": str}
FINISHED = {
    "state": {"finished"},
    "evaluation_id": str,
    "result": str,
    "result_type": str,
    "object_id?": str,
    "execution_time": NUMBER,
    "has_error": bool,
    "output": str,
    "truncated": bool,
}
SAVED_CONTEXT = {
    "context_id": str,
    "variables": [{"name": str, "class_name": str, "saved": bool, "reason?": str}],
    "history_size": int,
    "bytes": int,
    "saved_at": TIME,
}
DEBUG = {
    "state": {"suspended", "running", "finished"},
    "stack": [FRAME],
    "frame?": dict,
    "value?": str,
}

# Core
CORE = {
    "ping": {
        "message?": str,
        "status": {"ready"},
        "uptime": NUMBER,
        "instance": str,
        "evaluations_running": int,
        "evaluator_lag_ms": NUMBER,
    },
    "evaluate": FINISHED,
    "inspect": {
        "object_id": str,
        "object_info": {
            "class_name": str,
            "string_representation": str,
            "hash": int,
            "size": int,
        },
        "fields": [FIELD],
        "instance_vars": dict,
        "total_fields": int,
    },
    "browse_class": {
        "class_info": CLASS_INFO,
        "instance_methods": [METHOD],
        "class_methods": [METHOD],
        "instance_vars": [str],
        "class_vars": [str],
        "subclasses": [str],
        "traits": [str],
    },
    "debug": DEBUG,
    "system_info": {"info": dict},
    "list_classes": {"classes": [CLASS_INFO], "total_count": int},
    "get_method": {"method": METHOD},
}
# Sessions and contexts
SESSIONS = {
    "create_session": SESSION,
    "restore_session": SESSION
    | {
        "last_modified": TIME,
        "session_state": dict,
        "workspace_context": {"variables": [VARIABLE]},
        "inspector_state": dict,
        "object_registry": dict,
    },
    "update_session_state": {
        "session_id": str,
        "last_modified": TIME,
        "session_state": dict,
        "update_successful": bool,
    },
    "close_session": {"session_id": str, "closed": bool},
    "get_session_info": SESSION_INFO,
    "list_client_sessions": {
        "client_id": str,
        "session_count": int,
        "sessions": [SESSION_INFO],
    },
    "get_session_statistics": {
        "total_sessions": int,
        "active_clients": int,
        "max_sessions_per_client": int,
        "default_timeout": NUMBER,
        "cleanup_interval": NUMBER,
        "evaluations_total": int,
        "errors_total": int,
    },
    "save_context": SAVED_CONTEXT,
    "load_context": SAVED_CONTEXT | {"loaded": int},
    "get_context_summary": {
        "variables": [VARIABLE],
        "history": [dict],
        "history_size": int,
        "object_registry_size": int,
        "saved_contexts": [dict],
    },
    "clear_context": {"cleared": {"bindings": int, "history": int, "objects": int}},
}
# Beyond 1.0
BEYOND = {
    "describe": {
        "versions": [str],
        "commands": [str],
        "features": [str],
        "instance": str,
        "image": {"kind": {"pharo", "embedded"}, "version": str, "name": str},
        "limits": dict,
        "event_endpoint?": str,
    },
    "list_sessions": {"sessions": [SESSION_INFO]},
    "evaluation_status": FINISHED,
    "interrupt": {
        "tier": {"signal", "terminate", "abandon", "idle"},
        "evaluation_id?": str,
    },
    "complete": {"candidates": [{"text": str, "kind": str}]},
    "check_syntax": {"syntax": {"complete", "incomplete", "error"}},
    "search": {"methods": [METHOD], "total_count": int},
    "define_class": {"class_info": CLASS_INFO},
    "compile_method": {"method": METHOD},
    "remove_method": {"removed": bool},
    "file_in": {"classes": [str], "methods": [str], "expressions": int},
    "run_tests": {
        "state": {"finished"},
        "evaluation_id": str,
        "passed": int,
        "failed": int,
        "errors": int,
        "problems": [{"class_name": str, "method_name": str, "message": str, "stack": [FRAME]}],
    },
    "release_object": {"object_id": str, "released": bool},
    "save_image": {"saved": bool, "path": str, "duration_ms": NUMBER},
}
SHAPES = CORE | SESSIONS | BEYOND
DAEMON_SESSIONS = {"sessions": [{"session_id": str, "name": str, "owner": int, "state": str}]}
assert (len(CORE), len(SESSIONS), len(BEYOND)) == (8, 11, 14)

EVENT = {
    "event": str,
    "instance": str,
    "seq": int,
    "session_id?": str,
    "evaluation_id?": str,
    "data": dict,
    "timestamp": TIME,
}


class Wrong(Exception):
    """A reply that is not as the protocol page says."""


def check(value, shape, path):
    """Raises Wrong unless the value has the shape."""
    if isinstance(shape, dict):
        expect(isinstance(value, dict), path, value, "an object")
        for key, inner in shape.items():
            name, optional = key.rstrip("?"), key.endswith("?")
            if value.get(name) is None:
                expect(optional, f"{path}.{name}", value, "to be there")
            else:
                check(value[name], inner, f"{path}.{name}")
    elif isinstance(shape, list):
        expect(isinstance(value, list), path, value, "an array")
        for index, element in enumerate(value):
            check(element, shape[0], f"{path}[{index}]")
    elif isinstance(shape, set):
        expect(value in shape, path, value, f"one of {sorted(shape)}")
    elif isinstance(shape, re.Pattern):
        expect(isinstance(value, str) and shape.match(value), path, value, "an RFC 3339 time")
    else:
        # In Python True is an int; in JSON it is none.
        right = isinstance(value, shape) and (shape is bool or not isinstance(value, bool))
        expect(right, path, value, f"a {shape}")


def expect(right, path, value, what):
    if not right:
        raise Wrong(f"{path} should be {what}, but is {json.dumps(value)[:300]}")


class Image:
    """A REQ socket to an image, or to a daemon in front of one, and the commands that were driven through it."""

    def __init__(self, endpoint, is_daemon):
        self.is_daemon = is_daemon
        self.socket = zmq.Context.instance().socket(zmq.REQ)
        self.socket.setsockopt(zmq.RCVTIMEO, PATIENCE_MS)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.connect(endpoint)
        self.driven = set()

    def send(self, command, parameters, version="1.1"):
        """One request, one reply with the promised envelope."""
        request = {"id": str(uuid.uuid4()), "command": command, "parameters": parameters}
        if version:
            request["version"] = version
        self.socket.send_string(json.dumps(request))
        reply = json.loads(self.socket.recv().decode("utf-8"))
        expect(reply.get("id") == request["id"], f"{command}.id", reply, request["id"])
        check(reply.get("instance"), str, f"{command}.instance")
        check(reply.get("timestamp"), TIME, f"{command}.timestamp")
        check(reply.get("status"), {"success", "error"}, f"{command}.status")
        return reply

    def ask(self, command, shape=None, **parameters):
        """A command that must succeed with the shape of its row."""
        reply = self.send(command, parameters)
        expect(reply["status"] == "success", command, reply, "a success")
        check(reply.get("result"), shape or SHAPES[command], command)
        self.driven.add(command)
        return reply["result"]

    def refused(self, error_type, command, **parameters):
        """A command that must fail."""
        reply = self.send(command, parameters)
        expect(reply["status"] == "error", command, reply, "an error")
        expect(reply.get("error_type") == error_type, command, reply, error_type)
        check(reply.get("error"), str, f"{command}.error")
        check(reply.get("details"), dict, f"{command}.details")
        return reply

    def finish(self, command, **parameters):
        """A job, asked for until it has ended."""
        deadline = time.monotonic() + PATIENCE_MS / 1000
        reply = self.send(command, parameters | {"wait_ms": 100})
        job = reply["id"]
        while reply["status"] == "success" and reply["result"].get("state") == "running":
            check(reply["result"], RUNNING, command)
            expect(time.monotonic() < deadline, command, reply, "finished in time")
            reply = self.send("evaluation_status", {"evaluation_id": job, "wait_ms": 100})
        expect(reply["status"] == "success", command, reply, "a success")
        check(reply["result"], SHAPES[command], command)
        self.driven.add(command)
        return reply["result"]

    def suspend(self, session, code):
        """Code that fails under the debugger; answers its debug session."""
        reply = self.send(
            "evaluate",
            {"session_id": session, "code": code, "on_error": "debug", "wait_ms": PATIENCE_MS},
        )
        expect(reply.get("error_type") == "EvaluationError", "debug", reply, "EvaluationError")
        details = {"class": str, "receiver": str, "stack": [FRAME], "debug_session_id": str}
        check(reply["details"], details, "debug.details")
        return reply["details"]["debug_session_id"]


def about_the_image(image):
    description = image.ask("describe")
    missing = set(SHAPES) - set(description["commands"])
    expect(not missing, "describe.commands", sorted(missing), "announced")
    pong = image.ask("ping", message="grüße")
    expect(pong["message"] == "grüße", "ping.message", pong, "the message sent")
    for group in ("Basic", "Memory", "Packages", "Environment", "All"):
        image.ask("system_info", info_type=group)
    return description


def sessions(image, session, client):
    image.ask("get_session_info", session_id=session)
    image.ask("update_session_state", session_id=session, state_data={"line": 3})
    restored = image.ask("restore_session", session_id=session)
    expect(restored["session_state"] == {"line": 3}, "restore_session", restored, "the state")
    listed = image.ask("list_client_sessions", client_id=client)
    expect(listed["session_count"] == 1, "list_client_sessions", listed, "one session")
    image.ask("list_sessions", DAEMON_SESSIONS if image.is_daemon else None)
    image.ask("get_session_statistics")


def evaluations(image, session):
    result = image.finish("evaluate", session_id=session, code="x := 3@4")
    expect(result["result"] == "(3@4)", "evaluate", result, "(3@4)")
    looked = image.ask("inspect", object_id=result["object_id"], session_id=session)
    expect(looked["instance_vars"].get("x") == "3", "inspect", looked, "x of 3")
    image.ask("inspect", target="x", session_id=session, path=["y"], depth=2)
    image.ask("release_object", object_id=result["object_id"], session_id=session)
    image.ask("evaluation_status", evaluation_id=result["evaluation_id"])

    # A 1.0 client sends no version and waits for the end.
    old = image.send("evaluate", {"session_id": session, "code": "6 * 7"}, version=None)
    check(old.get("result"), FINISHED, "evaluate 1.0")
    expect(old["result"]["result"] == "42", "evaluate 1.0", old, "42")

    image.ask("evaluate", RUNNING, session_id=session, code="[true] whileTrue", wait_ms=0)
    if not image.is_daemon:
        image.refused("SessionBusy", "evaluate", session_id=session, code="1")
    stopped = image.ask("interrupt", session_id=session)
    expect(stopped["tier"] != "idle", "interrupt", stopped, "a tier that worked")
    failed = image.refused("EvaluationError", "inspect", target="1/0", session_id=session)
    check(failed["details"], {"class": str, "receiver": str, "stack": [FRAME]}, "details")


def contexts(image, session):
    image.ask("get_context_summary", session_id=session)
    saved = image.ask("save_context", session_id=session, name="python")
    image.ask("clear_context", session_id=session)
    image.ask("load_context", session_id=session, context_id=saved["context_id"])


def code(image, session):
    name = "StuiPython" + uuid.uuid4().hex
    definition = (
        f"Object subclass: #{name} instanceVariableNames: 'a' classVariableNames: '' "
        f"package: '{name}'"
    )
    image.ask("define_class", definition=definition)
    image.ask("compile_method", class_name=name, source="half: n\n\t^ n / 2", category="maths")
    image.ask("get_method", class_name=name, method_name="half:")
    image.ask("browse_class", class_name=name)
    image.ask("browse_class", class_name="Object")
    image.ask("list_classes", pattern="Ordered*", include_system=True, limit=5)
    found = image.ask("search", kind="implementors", text="half:")
    expect(found["total_count"] >= 1, "search", found, "the method")
    image.ask("complete", source="Transc", position=6, session_id=session)
    for source, syntax in (("3 + 4", "complete"), ("3 +", "incomplete"), ("3 )", "error")):
        checked = image.ask("check_syntax", source=source)
        expect(checked["syntax"] == syntax, "check_syntax", checked, syntax)
    wrong = image.refused("SyntaxError", "compile_method", class_name=name, source="x ^ )")
    spot = {"position": int, "line": int, "column": int, "source": str}
    check(wrong["details"], spot, "SyntaxError.details")
    debugger(image, session, name)
    image.ask("remove_method", class_name=name, method_name="half:")
    image.refused("MethodNotFound", "get_method", class_name=name, method_name="half:")
    tests(image, name)


def debugger(image, session, name):
    kept = image.suspend(session, f"{name} new half: nil")
    for operation in ("GetStackTrace", "GetLocalVars", "StepOver", "Terminate"):
        image.ask("debug", debug_session_id=kept, operation=operation, frame=0)
    place = {"class_name": name, "method_name": "half:", "session_id": session}
    for operation in ("SetBreakpoint", "ListBreakpoints"):
        image.ask("debug", operation=operation, **place)
    kept = image.suspend(session, f"{name} new half: 4")
    image.ask("debug", operation="RemoveBreakpoint", **place)
    for operation in ("StepInto", "StepOut", "Restart", "Continue"):
        result = image.ask("debug", debug_session_id=kept, operation=operation, frame=0)
        if result["state"] == "finished":
            break


def tests(image, package):
    name = package + "Test"
    image.ask(
        "file_in",
        source=f"TestCase subclass: #{name} instanceVariableNames: '' classVariableNames: '' "
        f"package: '{package}'!\n!{name} methodsFor: 'tests'!\ntestSum\n\tself assert: 3 + 4 "
        "equals: 7! testWrong\n\tself assert: 3 + 4 equals: 8! !\n",
    )
    report = image.finish("run_tests", class_name=name)
    counts = (report["passed"], report["failed"], report["errors"])
    expect(counts == (1, 1, 0), "run_tests", report, "one passed, one failed")


def garbage(image):
    for body in (b"", b"not json", b"[1, 2]", b"\xff\xfe"):
        image.socket.send(body)
        reply = json.loads(image.socket.recv())
        expect(reply.get("error_type") == "InvalidRequest", repr(body), reply, "InvalidRequest")
        expect("id" in reply and reply["id"] is None, repr(body), reply, "an id of null")
    image.refused("UnknownCommand", "frobnicate")
    image.refused("MissingParameter", "evaluate")
    image.refused("SessionNotFound", "evaluate", session_id="none such", code="1")


def events(image, endpoint, client):
    """Hears a session being made: topic frame, JSON frame."""
    socket = zmq.Context.instance().socket(zmq.SUB)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.SUBSCRIBE, b"session_created")
    socket.connect(endpoint)
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not socket.poll(50):
        expect(time.monotonic() < deadline, "events", None, "heard")
        made = image.ask("create_session", client_id=client, timeout=60)
        image.ask("close_session", session_id=made["session_id"])
    topic, body = socket.recv_multipart()
    event = json.loads(body)
    check(event, EVENT, "event")
    expect(event["event"].encode() == topic, "event", event, "of its topic")


def drive(endpoint, event_endpoint, save_image, is_daemon):
    image = Image(endpoint, is_daemon)
    description = about_the_image(image)
    client = "python-" + uuid.uuid4().hex
    made = image.ask("create_session", client_id=client, name="python", timeout=600)
    session = made["session_id"]
    sessions(image, session, client)
    evaluations(image, session)
    contexts(image, session)
    code(image, session)
    garbage(image)
    event_endpoint = event_endpoint or description.get("event_endpoint")
    if event_endpoint:
        events(image, event_endpoint, client)
    if save_image:
        image.ask("save_image")
    image.ask("close_session", session_id=session)
    image.refused("SessionNotFound", "get_session_info", session_id=session)
    return image.driven


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("endpoint")
    parser.add_argument("--events")
    parser.add_argument("--save-image", action="store_true")
    parser.add_argument("--daemon", action="store_true")
    arguments = parser.parse_args()
    try:
        driven = drive(
            arguments.endpoint, arguments.events, arguments.save_image, arguments.daemon
        )
    except (Wrong, zmq.ZMQError, ValueError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    for command in SHAPES:
        print(f"{'ok      ' if command in driven else 'skipped '}{command}")
    left = set(SHAPES) - driven - (set() if arguments.save_image else {"save_image"})
    if left:
        print(f"never driven: {sorted(left)}", file=sys.stderr)
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
