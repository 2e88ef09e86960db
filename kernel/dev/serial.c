/* 16550 serial ports, polled for output, by interrupt for input (PC16550D data sheet). */
#include "dev/serial.h"

#include "arch/cpu.h"
#include "arch/spinlock.h"
#include "arch/trap.h"
#include "lib/log.h"

static struct port {
    uint16_t base;
    int irq;
    bool present;
    int refused; /* a byte the receiver did not take, or -1 */
    struct spinlock input_lock; /* one CPU takes bytes at a time; above what a receiver takes */
    struct spinlock output_lock; /* one writer's bytes stay together; a leaf */
} ports[SERIAL_PORTS] = {{.base = 0x3f8, .irq = 4, .refused = -1}, {.base = 0x2f8, .irq = 3, .refused = -1}};

void serial_init(void)
{
    for (int i = 0; i < SERIAL_PORTS; i++) {
        uint16_t base = ports[i].base;

        outb(base + 7, 0x5a); /* the scratch register tells whether there is a chip */
        ports[i].present = inb(base + 7) == 0x5a;
        outb(base + 1, 0);
        outb(base + 3, 0x80);
        outb(base, 1); /* 115200 baud */
        outb(base + 1, 0);
        outb(base + 3, 3); /* 8 bits, no parity */
        outb(base + 2, 7); /* FIFO on and empty */
        outb(base + 4, 0xb);
    }
}

void serial_write(int number, const char *buffer, size_t size)
{
    struct port *port = &ports[number];
    uint64_t flags;

    if (!port->present) {
        return;
    }
    flags = irq_save();
    if (!log_alone) {
        spin_lock(&port->output_lock);
    }
    for (size_t i = 0; i < size; i++) {
        while (!(inb(port->base + 5) & 0x20)) {
            cpu_pause();
        }
        outb(port->base, (uint8_t)buffer[i]);
    }
    if (!log_alone) {
        spin_unlock(&port->output_lock);
    }
    irq_restore(flags);
}

/* While a byte is refused the interrupt is off: the FIFO fills and the sender waits. */
static void serial_interrupt(void *data)
{
    struct port *port = data;
    uint64_t flags = spin_lock_irqsave(&port->input_lock);
    bool taken = true;

    while (taken) {
        if (port->refused < 0) {
            if (!(inb(port->base + 5) & 1)) {
                break;
            }
            port->refused = inb(port->base);
        }
        taken = serial_receive((int)(port - ports), port->refused);
        if (taken) {
            port->refused = -1;
        }
    }
    outb(port->base + 1, taken);
    spin_unlock_irqrestore(&port->input_lock, flags);
}

void serial_poll(int number)
{
    if (ports[number].present) {
        serial_interrupt(&ports[number]);
    }
}

void serial_irq_init(void)
{
    for (int i = 0; i < SERIAL_PORTS; i++) {
        if (ports[i].present) {
            irq_register(ports[i].irq, serial_interrupt, &ports[i]);
            outb(ports[i].base + 1, 1);
        }
    }
}

void serial_log_console(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\n') {
            serial_write(0, "\r\n", 2);
        } else {
            serial_write(0, text + i, 1);
        }
    }
}

void serial_log_wire(const char *text, size_t size)
{
    serial_write(1, text, size);
}
