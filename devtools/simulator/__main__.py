"""`python -m devtools.simulator`: serve the payment API of the sample campus."""

import argparse
import asyncio
import json
import sys
from typing import Any

from devtools.simulator.connection import Connection
from devtools.simulator.faults import KINDS
from devtools.simulator.options import OptionError, Options
from devtools.simulator.service import Service

HELP = "Options can be changed while it runs: POST JSON to /_sim, counters are at GET /_sim."


def main() -> None:
    """Parse the options, listen, print the address in one line, serve until killed."""
    arguments = _parser().parse_args()
    try:
        service = Service(Options().updated(_options(arguments)))
        asyncio.run(_serve(service, arguments.host, arguments.port))
    except (OptionError, OSError) as error:
        sys.exit(f"simulator: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


async def _serve(service: Service, host: str, port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(service), host, port, backlog=2048)
    address, bound = server.sockets[0].getsockname()[:2]
    print(f"http://{address}:{bound}", flush=True)
    await server.serve_forever()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="devtools.simulator", epilog=HELP)
    add = parser.add_argument
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=5055, help="0: any free one")
    add("--students", type=int)
    add("--latency-ms", metavar="20 or 20..200")
    add("--fail", type=_by_kind, action="append", metavar="KIND=SHARE", help=", ".join(KINDS))
    add("--flaky", type=_by_kind, action="append", metavar="KIND=SHARE", help="fail, then succeed")
    add("--flaky-failures", type=int, metavar="N")
    add(
        "--changes",
        type=float,
        action="append",
        metavar="SHARE",
        help="students with one more payment; once for each day",
    )
    add("--outage", metavar="KIND", help="every request gets this fault")
    add("--rate", type=float, help="requests per second, above it 429")
    add("--retry-after", metavar="VALUE")
    add("--token", help="the bearer token that requests must send")
    add("--gzip", action="store_true", default=None)
    add("--no-etag", dest="etag", action="store_false", default=None)
    add("--json", type=json.loads, default={}, help="any options as one JSON object")
    return parser


def _by_kind(text: str) -> tuple[str, float]:
    kind, _, share = text.partition("=")
    return kind, float(share)


def _options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the given options in the JSON form of the control interface."""
    named = {name: value for name, value in vars(arguments).items() if value is not None}
    for name in ("host", "port"):
        del named[name]
    for name in ("fail", "flaky"):
        if name in named:
            named[name] = dict(named[name])
    return {**named.pop("json"), **named}


if __name__ == "__main__":
    main()
