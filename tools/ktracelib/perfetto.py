"""A trace for ui.perfetto.dev: protobuf packets with a named track for each lane.

The format is perfetto_trace.proto: Trace.packet = 1; TracePacket.timestamp = 8,
trusted_packet_sequence_id = 10, track_event = 11, sequence_flags = 13, track_descriptor = 60;
TrackDescriptor.uuid = 1, name = 2, parent_uuid = 5, child_ordering = 11,
sibling_order_rank = 12; TrackEvent.type = 9, track_uuid = 11, categories = 22, name = 23.
"""
from typing import Iterator

from . import format as fmt
from .lanes import Lane, lanes
from .spans import Span
from .states import Model

SLICE_BEGIN, SLICE_END = 1, 2
EXPLICIT = 3  # child_ordering
INCREMENTAL_STATE_CLEARED = 1


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7f:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def text(field: int, value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(data)) + data


def _packet(content: bytes) -> bytes:
    return text(1, content + number(10, 1))


def _descriptor(uuid: int, parent: int, rank: int, name: str) -> bytes:
    body = number(1, uuid) + text(2, name) + number(11, EXPLICIT) + number(12, rank)
    return _packet(text(60, body + (number(5, parent) if parent else b"")))


def _event(time: int, kind: int, uuid: int, name: str = "", category: str = "") -> bytes:
    body = number(9, kind) + number(11, uuid)
    if name:
        body += text(22, category) + text(23, name)
    return _packet(number(8, time) + text(11, body))


def _title(span: Span) -> str:
    more = [part for part in (span.call, span.detail) if part]
    return f"{span.state} ({', '.join(more)})" if more else span.state


def _slices(model: Model, rows: list[Lane]) -> Iterator[tuple[int, int, bytes]]:
    """(time, order at that time, packet): an end comes before the next beginning."""
    for uuid, lane in enumerate(rows, 1):
        for s in lane.spans:
            start, end = s.start - model.start, s.end - model.start
            yield start, 1, _event(start, SLICE_BEGIN, uuid, _title(s), lane.kind)
            yield end, 0, _event(end, SLICE_END, uuid)


def perfetto(trace: fmt.Trace) -> bytes:
    model = Model(trace)
    rows = lanes(model)
    out = [_packet(number(13, INCREMENTAL_STATE_CLEARED))]
    process = thread = 0
    for uuid, lane in enumerate(rows, 1):
        parent = {"cpu": 0, "process": 0, "thread": process, "co": thread}[lane.kind]
        out.append(_descriptor(uuid, parent, uuid, lane.label))
        process = uuid if lane.kind == "process" else process
        thread = uuid if lane.kind == "thread" else thread
    out += [packet for _, _, packet in sorted(_slices(model, rows), key=lambda item: item[:2])]
    return b"".join(out)
