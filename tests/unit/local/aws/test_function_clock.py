"""A function's process asks the embedded AWS what time it is."""

import os
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[4] / "local" / "aws" / "function_clock"
PROGRAM = """
import datetime as module, json, os, threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

class Clock(BaseHTTPRequestHandler):
    def do_GET(self):
        # Noon of 5 January 2026, and a quarter of a second.
        body = json.dumps({"now": 1767614400.25} if self.path == "/_local/clock" else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass

server = HTTPServer(("127.0.0.1", 0), Clock)
threading.Thread(target=server.serve_forever, daemon=True).start()
os.environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{server.server_port}"
early = module.datetime.fromisoformat("2026-01-05T11:00:00+00:00")
now = datetime.now(UTC)
sdk = {"__name__": "botocore.auth", "datetime": datetime, "UTC": UTC}
exec("signed = datetime.now(UTC), datetime.utcnow().replace(tzinfo=UTC)", sdk)
if os.environ.get("AWS_LAMBDA_FUNCTION_NAME"):
    assert all(moment - now > timedelta(days=1) for moment in sdk["signed"]), "requests are signed with the real time"
print(now.isoformat(), datetime.utcnow().isoformat(), isinstance(early, datetime), isinstance(now, datetime),
      now - early > timedelta(minutes=59), sep="|")
"""


def printed(**variables: str) -> str:
    """Return what a process with our folder on its path prints; it opens the sockets, not this one."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(FOLDER), **variables}
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_a_function_has_the_simulated_time() -> None:
    assert printed(AWS_LAMBDA_FUNCTION_NAME="any") == (
        "2026-01-05T12:00:00.250000+00:00|2026-01-05T12:00:00.250000|True|True|True\n"
    )


def test_other_processes_have_the_real_time() -> None:
    assert not printed().startswith("2026-01-05T12:00:00")
