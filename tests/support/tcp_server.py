"""A server on 127.0.0.1 whose behaviour is a function, one thread each."""

import socket
import threading


class Server:
    """Serves each connection in a thread of its own. behave(server, connection) may count what
    it read in server.app_bytes, how many requests it got in server.requests, and so on."""

    def __init__(self, behave, is_imap=False):
        self.behave = behave
        self.is_imap = is_imap
        self.app_bytes = b""
        self.requests = 0
        self.connections = 0
        self.resumed = 0  # TLS sessions
        self.talks = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            connection.settimeout(3)
            talk = threading.Thread(target=self.talk, args=(connection,), daemon=True)
            self.talks.append(talk)
            talk.start()

    def talk(self, connection):
        try:
            self.behave(self, connection)
        except OSError:
            pass
        finally:
            connection.close()

    def stop(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(5)
        for talk in self.talks:
            talk.join(5)
