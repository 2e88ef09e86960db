"""Parts of the kernel and the C library on the host, under ASan and UBSan."""
import difflib
import subprocess

from driver import ROOT, call, check, test


@test
def buddy_on_the_host() -> None:
    binary = ROOT / "build/buddy_test"
    result = call(["gcc", "-g", "-fsanitize=address,undefined", "-Ikernel", "-o", str(binary),
                   "tests/host/buddy_test.c", "kernel/mm/buddy.c"])
    check(result.returncode == 0, result.stderr)
    result = call([str(binary)])
    check(result.returncode == 0 and "not ok" not in result.stdout, result.stdout + result.stderr)


@test
def kernel_lib_on_the_host() -> None:
    flags = ["-g", "-fsanitize=address,undefined", "-Ikernel"]
    names = ("snprintf vsnprintf memcpy memmove memset memcmp strlen strnlen strcmp strncmp strchr "
             "strrchr strstr strlcpy").split()  # the host has its own of these
    binary = ROOT / "build/lib_test"
    for source in ("printf", "string"):
        result = call(["gcc", *flags, "-fno-builtin", *[f"-D{name}=kernel_{name}" for name in names],
                       "-c", "-o", f"build/lib_{source}.o", f"kernel/lib/{source}.c"])
        check(result.returncode == 0, result.stderr)
    result = call(["gcc", *flags, "-o", str(binary), "tests/host/lib_test.c", "kernel/lib/rbtree.c",
                   "build/lib_printf.o", "build/lib_string.o"])
    check(result.returncode == 0, result.stderr)
    result = call([str(binary)])
    check(result.returncode == 0 and "not ok" not in result.stdout, result.stdout + result.stderr)


@test
def libc_agrees_with_the_host() -> None:
    """One program, linked with the host's C library and with ours: the same output."""
    include = subprocess.check_output(["gcc", "-print-file-name=include"], text=True).strip()
    source = "tests/host/libc_test.c"
    builds = [
        ["gcc", "-w", "-D_GNU_SOURCE", "-o", "build/libc_theirs", source],
        ["gcc", "-w", "-ffreestanding", "-nostdinc", "-isystem", include, "-Iuser/ulib/include",
         "-fno-stack-protector", "-fno-pie", "-no-pie", "-static", "-nostdlib", "-o", "build/libc_ours",
         "build/user/ulib/crt0.asm.o", source, "build/user/libu.a"],
    ]
    outputs = []
    for build, binary in zip(builds, ("theirs", "ours")):
        result = call(build)
        check(result.returncode == 0, result.stderr)
        outputs.append(call([str(ROOT / f"build/libc_{binary}")]).stdout)
    difference = "\n".join(difflib.unified_diff(outputs[0].split("\n"), outputs[1].split("\n"), "host",
                                                "ours", lineterm="", n=0))
    check(len(outputs[0]) > 1000 and not difference, difference)


@test
def pthread_tests_hold_for_the_host() -> None:
    """The thread tests, linked with the host's C library: it is the judge of what they claim."""
    programs = {path.stem: [str(path)] for path in (ROOT / "user/test").glob("pthread*.c")}
    programs["torture"] = [str(path) for path in (ROOT / "user/torture").glob("*.c")]
    for name, sources in sorted(programs.items()):
        binary = str(ROOT / f"build/host_{name}")
        result = call(["gcc", "-D_GNU_SOURCE", "-pthread", "-O2", "-o", binary, *sources])
        check(result.returncode == 0, result.stderr)
        result = call([binary])
        check(result.returncode == 0 and "not ok" not in result.stdout, result.stdout + result.stderr)
