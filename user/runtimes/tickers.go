// Five goroutines tick while one reads: the runtime has more threads than one.
package main

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

var ticks int64

func tick() {
	for {
		time.Sleep(50 * time.Millisecond)
		atomic.AddInt64(&ticks, 1)
	}
}

func main() {
	for i := 0; i < 5; i++ {
		go tick()
	}
	time.Sleep(200 * time.Millisecond)
	before, start := atomic.LoadInt64(&ticks), time.Now()
	os.Stdin.Read(make([]byte, 100)) // the thread sleeps in read(2)
	fmt.Println(atomic.LoadInt64(&ticks)-before, time.Since(start).Milliseconds())
}
