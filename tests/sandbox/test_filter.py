"""The filter of system calls as a table, for processors that we do not have here too: read as the kernel reads it."""

import errno
import struct
from collections.abc import Sequence

import pytest

from picklebot.toolhost.confining import SOCKETS, Instruction, program_for
from picklebot.toolhost.numbers import PROCESSORS, REFUSED, UNSEEN, Processor

ALLOW, KILL = "allow", "kill"
X86, ARM = PROCESSORS["x86_64"], PROCESSORS["aarch64"]
READ, OPENAT2 = {X86: 0, ARM: 63}, 437
BOTH = pytest.mark.parametrize("processor", [X86, ARM], ids=list(PROCESSORS))


def judge(program: Sequence[Instruction], number: int, *arguments: int, audit: int) -> str | int:
    """Return what becomes of a call: allowed, the end of its process, or an error's number (linux/seccomp.h)."""
    seen = struct.pack("<IIQ6Q", number, audit, 0, *arguments, *[0] * (6 - len(arguments)))
    at = held = 0
    while True:
        code, yes, no, value = program[at]
        at += 1
        match code:
            case 0x20:
                (held,) = struct.unpack_from("<I", seen, value)
            case 0x54:
                held &= value
            case 0x15:
                at += yes if held == value else no
            case 0x35:
                at += yes if held >= value else no
            case 0x45:
                at += yes if held & value else no
            case 0x06:
                return {0x7FFF0000: ALLOW, 0x80000000: KILL}.get(value, value & 0xFFFF)
            case _:
                raise AssertionError(f"no instruction of ours: {code:#x}")


@BOTH
@pytest.mark.parametrize("network", [False, True])
@pytest.mark.parametrize("unseen", [False, True])
def test_each_processor_refuses_what_leads_out_and_nothing_else(
    processor: Processor, *, network: bool, unseen: bool
) -> None:
    program = list(program_for(processor, families=SOCKETS["open" if network else "closed"], unseen=unseen))

    def call(number: int, *arguments: int) -> str | int:
        return judge(program, number, *arguments, audit=processor.audit)

    refused = {*processor.numbers(REFUSED), *(processor.numbers(UNSEEN) if unseen else ())}
    judged = {processor.number(name) for name in ("socket", "socketpair", "clone", "clone3", "ioctl", "utimensat")}
    assert {call(number) for number in refused} == {errno.EPERM}
    assert {call(number) for number in {*range(480)} - refused - judged} == {ALLOW}
    assert call(READ[processor]) == call(OPENAT2) == ALLOW
    assert call(processor.number("clone3")) == errno.ENOSYS
    clone, ioctl = processor.number("clone"), processor.number("ioctl")
    assert [call(clone, flags) for flags in (0x11, 0x10000000, 0x20000, 0x40000000)] == [ALLOW, *[errno.EPERM] * 3]
    assert [call(ioctl, 0, what) for what in (0x5401, 0x5412, 0x541C)] == [ALLOW, errno.EPERM, errno.EPERM]
    pair = [call(processor.number("socketpair"), 1, kind | 0x80800) for kind in (1, 2, 3, 4, 5, 6, 10)]
    assert pair == [ALLOW, *[errno.EACCES] * 3, ALLOW, *[errno.EACCES] * 2]
    open_ = ALLOW if network else errno.EACCES
    families = [call(processor.number("socket"), family) for family in (2, 10, 16, 1, 17, 40)]
    assert families == [open_, open_, open_, *[errno.EACCES] * 3]
    by_path = [call(processor.number("utimensat"), 3, path) for path in (0, 0x7F0000001000)]
    assert by_path == [ALLOW, errno.EPERM if unseen else ALLOW]


@BOTH
def test_the_calls_of_another_processor_are_the_end(processor: Processor) -> None:
    program = list(program_for(processor, families=(), unseen=True))
    other = ARM if processor is X86 else X86
    assert judge(program, 0, audit=other.audit) == KILL
    assert judge(program, 0, audit=0x40000003) == KILL  # 32 bits on the same machine
    if processor.foreign is not None:
        assert judge(program, processor.foreign + READ[processor], audit=processor.audit) == errno.ENOSYS


def test_no_call_stands_twice_and_the_newer_ones_have_one_number() -> None:
    for processor in PROCESSORS.values():
        numbers = processor.numbers({**REFUSED, **UNSEEN})
        assert len(numbers) == len(set(numbers))
    assert all(mine == theirs for mine, theirs in {**REFUSED, **UNSEEN}.values() if mine >= 424)
