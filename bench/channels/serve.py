"""Serves the application by the server that the first argument names, says on which port, and ends when stdin does."""

import os
import socket
import sys
import threading


# Neither server asks a silent client whether it is still there: the driver is one that does not answer.


def end_with_parent():
    sys.stdin.read()
    os._exit(0)


def serve_uvicorn(application, listener):
    import uvicorn

    config = uvicorn.Config(application, log_level="warning", access_log=False, lifespan="off", ws_ping_interval=None)
    uvicorn.Server(config).run(sockets=[listener])


def serve_daphne(application, listener):
    from daphne.server import Server

    Server(application, endpoints=[f"fd:fileno={listener.fileno()}"], ping_interval=3_600).run()


def main(server):
    from application import application

    threading.Thread(target=end_with_parent, daemon=True).start()
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(listener.getsockname()[1], flush=True)
    {"uvicorn": serve_uvicorn, "daphne": serve_daphne}[server](application, listener)


if __name__ == "__main__":
    main(sys.argv[1])
