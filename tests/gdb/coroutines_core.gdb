info coros 3
ktask 3
bt
