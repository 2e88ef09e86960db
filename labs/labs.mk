# The labs: kernel tests (labs/N/kernel/*.c: linked into every kernel, run by the option lab=NAME)
# and the guest test programs of the grader.

build/labs/%.o: labs/%.c build/flags
	@mkdir -p $(@D)
	$(call say,CC ,$<)
	$(Q)$(CC) $(KERNEL_CFLAGS) -c -o $@ $<

build/labs/%/tests: labs/%/tests.c $(wildcard labs/*.h labs/*/*.h) \
		build/user/libu.a build/user/ulib/crt0.asm.o
	@mkdir -p $(@D)
	$(call say,CC ,$<)
	$(Q)$(CC) $(USER_CFLAGS) -Ilabs -c -o $@.o $<
	$(Q)$(LD) $(USER_LDFLAGS) -o $@ $@.o $(filter %.o,$^) build/user/libu.a

# Lab 4 has the learner's futex.c in an ordinary program; what does not fit its doubles fails one test.
build/labs/4/tests: build/labs/4/queue.o
build/labs/4/queue.o: labs/4/queue.c labs/4/doubles.h labs/grade.h kernel/sched/futex.c build/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(USER_CFLAGS) -Ilabs -Ikernel -c -o $@ $< 2>$@.errors || \
	    $(CC) $(USER_CFLAGS) -Ilabs -c -o $@ labs/4/queue_unfit.c

# Lab 8: the learner's locks, which call nobody but the kernel.
LOCKS := $(patsubst %.c,build/%.o,$(sort $(wildcard user/locks/*.c)))
build/labs/8/tests: $(LOCKS) build/labs/8/alone
build/labs/8/alone: $(LOCKS)
	@mkdir -p $(@D)
	$(Q)$(LD) -r -o $@.o $^
	$(Q)for name in $$($(NM) -u $@.o | sed 's/.* //'); do case $$name in word_wait|word_wake|mem*) ;; *) \
	    echo "user/locks: error: $$name: a lock calls word_wait and word_wake, and nobody else"; exit 1;; esac; done
	$(Q)touch $@
