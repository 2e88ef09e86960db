// Go: goroutines on one processor. It resumes nobody by hand: a pair is a message there and back.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
)

// CPU time of this process in nanoseconds.
func now() int64 {
	var used syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return used.Utime.Nano() + used.Stime.Nano()
}

func measure(name string, count int, work func(count int)) {
	start := now()
	work(count)
	fmt.Printf("%s %.3f\n", name, float64(now()-start)/float64(count))
}

func pairs(count int) {
	there, back := make(chan int), make(chan int)
	go func() {
		for message := range there {
			back <- message
		}
	}()
	for i := 0; i < count; i++ {
		there <- i
		<-back
	}
	close(there)
}

func yieldAmong(goroutines, count int) {
	var all sync.WaitGroup
	all.Add(goroutines)
	for i := 0; i < goroutines; i++ {
		go func() {
			for left := count / goroutines; left > 0; left-- {
				runtime.Gosched()
			}
			all.Done()
		}()
	}
	all.Wait()
}

func createAndEnd(count int) {
	var one sync.WaitGroup
	for i := 0; i < count; i++ {
		one.Add(1)
		go one.Done()
		one.Wait()
	}
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: go ROUNDS COUNT")
		os.Exit(2)
	}
	rounds, _ := strconv.Atoi(os.Args[1])
	count, _ := strconv.Atoi(os.Args[2])
	runtime.GOMAXPROCS(1)
	for ; rounds > 0; rounds-- {
		measure("resume_yield_pair", count, pairs)
		measure("yield_now_2", count, func(count int) { yieldAmong(2, count) })
		measure("yield_now_1000", count, func(count int) { yieldAmong(1000, count) })
		measure("create_end", count/10+1, createAndEnd)
	}
}
