#!/usr/bin/env python3
"""Answers "!ping". Run it as: ping.py NAME.sock CURSOR-FILE, with the socket of a session that is in some rooms."""
import json, os, socket, sys, time
path, kept = sys.argv[1:]

def ask(method, **params):  # What comes back, line by line, over a connection of its own.
    with socket.socket(socket.AF_UNIX) as session:
        session.connect(path)
        stream = session.makefile("rw", encoding="utf-8")
        print(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}), file=stream, flush=True)
        for line in stream:
            told = json.loads(line)
            if told.get("error", {}).get("code") == 3:  # Not reached, or not just now: it is asked again.
                raise OSError(told["error"]["message"])
            if "error" in told:
                print(told["error"]["message"], file=sys.stderr)
            yield told
    raise OSError("the session has ended")

while True:
    try:
        since = int(open(kept).read()) if os.path.exists(kept) else 0
        for told in ask("tail", since=since, follow=True):
            event = told.get("params", {})
            if event.get("text") == "!ping" and event["path"] != "self" and "kind" not in event:
                next(ask("say", room=event["room"], text="pong, " + event["from"], reply=event["id"]))
            if "cursor" in event:  # Kept once it is answered: after a restart of either side it is not told again.
                open(kept + ".new", "w").write(str(event["cursor"]))
                os.replace(kept + ".new", kept)
    except OSError as error:
        print(error, file=sys.stderr)
    time.sleep(1)
