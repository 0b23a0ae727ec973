"""The events on their way to a session, and how an urgent one stops the measurement that is running."""

from __future__ import annotations

from queue import Empty, SimpleQueue
from threading import Event as Flag
from threading import Lock

from bughunt.measure.outcomes import Stopped
from bughunt.watch.events import Event


class Inbox:
    """Takes events in from any thread; one thread takes them out, and measures in between."""

    def __init__(self) -> None:
        self._events: SimpleQueue[Event] = SimpleQueue()
        self._urgent = 0
        self._counting = Lock()
        self._stop = Flag()

    def post(self, event: Event) -> None:
        with self._counting:
            self._urgent += event.urgent
            self._events.put(event)
        if event.urgent:
            self._stop.set()

    def next(self, patience: float) -> Event | None:
        """The next event; None when none has come after `patience` seconds."""
        try:
            event = self._events.get(timeout=patience)
        except Empty:
            return None
        with self._counting:
            self._urgent -= event.urgent
        return event

    def begin_measuring(self) -> Flag:
        """The flag that stops the measurement to come. Raises Stopped when an urgent event has arrived."""
        self._stop = Flag()
        if self._urgent:
            raise Stopped
        return self._stop
