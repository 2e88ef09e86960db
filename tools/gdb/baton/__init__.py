"""What gdb knows of Baton. Layouts come from the kernel's debug information, never from here."""
