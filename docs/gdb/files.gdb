$ make gdb CMD='stall --mode=aware --wait=110 --tickers=2'
break item_wake
continue
p $kcurrent()->name
kwait
set $writer = $kcurrent()->files
break task_wake if task->reason == WAIT_EPOLL
continue
bt -frame-arguments presence
p task->name
set $reader = task->files
p $reader->slots[5] == $writer->slots[6]
p $reader->slots[5]->inode == $writer->slots[6]->inode
p/o $reader->slots[5]->inode->mode
p $reader->slots[3]->ops == &epoll_ops
