'use strict';
// What each state is: two sentences, and the chapter that tells the rest.

const WHAT = {
  'run-user': ['user mode', 'The thread executes its program on a CPU. The kernel does nothing ' +
    'meanwhile; only a system call, a fault or an interrupt brings it back in.', 'docs/switches.md'],
  'run-kernel': ['kernel mode', 'The thread has made a system call or taken a fault, and executes ' +
    'the kernel\'s code on its own behalf. It still has the CPU: this is work, not waiting.',
  'docs/switches.md'],
  'irq': ['interrupt', 'A timer or a device has interrupted whatever ran on this CPU. The kernel ' +
    'serves it on the interrupted thread\'s time, and may wake others.', 'docs/switches.md'],
  'ready': ['ready', 'It could run, but others have what it needs: a thread waits for a CPU, a ' +
    'coroutine waits until its thread has run its siblings. Nothing is wrong; this is waiting for a turn.',
  'docs/switches.md'],
  'blocked': ['blocked', 'The thread sleeps in the kernel until something happens: data in a pipe, ' +
    'a lock, a time. It needs no CPU, and with it sleep all coroutines that it carries.', 'docs/stall.md'],
  'parked': ['parked', 'The coroutine waits, and has told its library so. Its thread is free and runs ' +
    'the siblings: this is what blocking should look like.', 'docs/stall.md'],
  'blocking': ['blocks its thread', 'The coroutine has made a system call that put its whole thread ' +
    'to sleep. The kernel knows of no coroutines, so nobody is left to run the siblings.', 'docs/stall.md'],
  'stalled': ['STALLED', 'The coroutine could run, but its thread is blocked in a system call that a ' +
    'sibling made. Neither the kernel nor the library can see this alone; the trace puts both together.',
  'docs/stall.md'],
  'preempted': ['preempted', 'The coroutine was running when the kernel took the CPU from its thread. ' +
    'It goes on where it was as soon as the thread has a CPU again.', 'docs/switches.md'],
  'idle': ['idle', 'The CPU had no thread to run and was halted. An interrupt wakes it.', 'docs/switches.md'],
  'busy': ['busy', 'The CPU ran a thread, and the trace does not say in which mode. Older events may ' +
    'have been overwritten.', 'docs/trace.md'],
  'wake': ['woken by', 'The arrow goes from the thread that ended another one\'s waiting to the one ' +
    'that it woke. A short arrow from nowhere is an interrupt: a timer or a device.', 'docs/trace.md'],
  'mark': ['a mark', 'The program itself has put this flag here, by co_mark(). It says whatever the ' +
    'program\'s author wanted to find again.', 'docs/trace.md'],
};
WHAT.run = WHAT['run-user'];
WHAT['in-syscall'] = WHAT['run-kernel'];

const OF_COROUTINES = ['parked', 'blocking', 'stalled', 'preempted'];
const LEGEND = ['run-user', 'run-kernel', 'irq', 'ready', 'blocked', ...OF_COROUTINES, 'idle', 'wake', 'mark'];

const titleOf = (state) => (WHAT[state] || [state])[0];
