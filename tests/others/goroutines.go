// Goroutines, channels, the garbage collector, a pipe and a child: what Go's runtime asks of a kernel.
package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"time"
)

func main() {
	squares := make(chan int, 4)
	var group sync.WaitGroup
	for i := 0; i < 100; i++ {
		group.Add(1)
		go func(n int) { defer group.Done(); squares <- n * n }(i)
	}
	go func() { group.Wait(); close(squares) }()
	sum := 0
	for square := range squares {
		sum += square
	}
	for i := 0; i < 50; i++ {
		_ = make([]byte, 1<<20)
	}
	runtime.GC()
	reader, writer, _ := os.Pipe()
	go func() { time.Sleep(time.Millisecond); io.WriteString(writer, "late"); writer.Close() }()
	late, _ := io.ReadAll(reader)
	child, err := exec.Command("/bin/echo", "child").Output()
	fmt.Println(sum, string(late), string(child), err)
}
