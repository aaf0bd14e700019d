#!/usr/bin/env python3
"""Answers "!ping". Run it as: ping.py NAME.sock CURSOR-FILE, with the socket of a session that is in some rooms."""
import json, os, socket, sys, time
path, kept = sys.argv[1:]

def ask(stream, method, **params):
    print(json.dumps({"jsonrpc": "2.0", "id": method, "method": method, "params": params}), file=stream, flush=True)

def serve(stream):
    since = int(open(kept).read()) if os.path.exists(kept) else 0
    ask(stream, "tail", since=since, follow=True)
    for line in stream:
        told = json.loads(line)
        event = told.get("params", {})
        if event.get("text") == "!ping" and event["path"] != "self" and "kind" not in event:
            ask(stream, "say", room=event["room"], text="pong, " + event["from"], reply=event["id"])
        if "cursor" in event:  # Kept once it is dealt with: after a restart of either side it is not told again.
            open(kept + ".new", "w").write(str(event["cursor"]))
            os.replace(kept + ".new", kept)
        if "error" in told:
            print(told["error"]["message"], file=sys.stderr)

while True:
    try:
        with socket.socket(socket.AF_UNIX) as session:
            session.connect(path)
            serve(session.makefile("rw", encoding="utf-8"))
    except OSError as error:
        print(error, file=sys.stderr)
    time.sleep(1)
