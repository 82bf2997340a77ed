"""What goes on beside an attack on a server: a feed is captured, a user is served, and the sensor's memory is noted."""

import resource
import threading

YEAR_2023 = 1_700_000_000
# What a sanitizer keeps of freed memory would hide what is asked for here.
SMALL_QUARANTINE = ("env", "ASAN_OPTIONS=exitcode=99:detect_leaks=1:quarantine_size_mb=1:thread_local_quarantine_size_kb=16")


class Siege:
    """What goes on beside an attack: packets come, a user asks, and the most memory of the process is noted."""

    def __init__(self, feed, running, ask, await_packets):
        """`ask` is the user's call, `await_packets` waits until so many were analysed."""
        self._feed, self._running, self._ask, self._await_packets = feed, running, ask, await_packets
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go_on)
        self._failure = None
        self.packets = self.calls = self.most_bytes = 0

    def resident(self):
        with open(f"/proc/{self._running.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * resource.getpagesize()

    def _round(self):
        self._feed.flows(self.packets, 50, YEAR_2023 + self.calls)
        self.packets += 50
        self._ask()
        self.calls += 1
        self.most_bytes = max(self.most_bytes, self.resident())

    def _go_on(self):
        try:
            while not self._over.wait(0.1):
                self._round()
        except Exception as failure:  # told by the test's own thread
            self._failure = failure

    def __enter__(self):
        self._round()
        self.before_bytes = self.resident()
        self._thread.start()
        return self

    def __exit__(self, kind, *_):
        self._over.set()
        self._thread.join()
        if kind is not None:
            return
        if self._failure is not None:
            raise AssertionError(f"the user was not served: {self._failure}\n{self._running.stderr()}")
        for _ in range(3):
            self._round()
        self._feed.flows(self.packets, 1, YEAR_2023 + self.calls + 5)
        self._await_packets(self.packets)
        self.packets += 1
