// The same as echo.c, with a goroutine for each server and client: echo OPEN ACTIVE MESSAGES.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
)

const size = 16

type connection struct{ server, client *os.File }

func try(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "echo:", err)
		os.Exit(1)
	}
}

// CPU time of this process, in microseconds.
func now() int64 {
	var usage syscall.Rusage
	try(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return (usage.Utime.Sec+usage.Stime.Sec)*1000000 + usage.Utime.Usec + usage.Stime.Usec
}

func connect() connection {
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	try(err)
	for _, end := range ends { // so that the runtime waits for them by epoll
		try(syscall.SetNonblock(end, true))
	}
	return connection{os.NewFile(uintptr(ends[0]), ""), os.NewFile(uintptr(ends[1]), "")}
}

func serve(c connection) {
	var buffer [size]byte
	for {
		count, err := c.server.Read(buffer[:])
		if err != nil {
			return
		}
		c.server.Write(buffer[:count])
	}
}

func exchange(c connection, count int) {
	var buffer [size]byte
	for i := 0; i < count; i++ {
		_, err := c.client.Write(buffer[:])
		try(err)
		_, err = c.client.Read(buffer[:])
		try(err)
	}
}

func main() {
	open, _ := strconv.Atoi(os.Args[1])
	active, _ := strconv.Atoi(os.Args[2])
	messages, _ := strconv.Atoi(os.Args[3])
	runtime.GOMAXPROCS(1)
	var files syscall.Rlimit
	try(syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files))
	files.Cur = files.Max
	try(syscall.Setrlimit(syscall.RLIMIT_NOFILE, &files))
	all := make([]connection, open)
	for i := range all {
		all[i] = connect()
		go serve(all[i])
	}
	for i := range all {
		exchange(all[i], 1)
	}
	var talking sync.WaitGroup
	start := now()
	for i := 0; i < active; i++ {
		talking.Add(1)
		go func(c connection) {
			exchange(c, messages/active)
			talking.Done()
		}(all[i])
	}
	talking.Wait()
	fmt.Printf("echo %.3f\n", float64(now()-start)/float64(messages/active*active))
}
