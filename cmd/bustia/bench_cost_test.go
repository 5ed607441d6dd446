//go:build integration && bench

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"
)

// ticks is how many the kernel counts CPU time in, a second (USER_HZ, the same on every Linux).
const ticks = 100

// processes is the CPU of every process, in seconds, and whose child it is.
type processes map[int]struct {
	parent int
	name   string
	cpu    float64 // its own and that of the children it has waited for
}

func readProcesses() processes {
	all := processes{}
	files, _ := filepath.Glob("/proc/[0-9]*/stat") // fails for a bad pattern only
	for _, file := range files {
		line, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		// The name, in parentheses, may hold anything (proc_pid_stat(5)).
		open, shut := bytes.IndexByte(line, '('), bytes.LastIndexByte(line, ')')
		pid, _ := strconv.Atoi(strings.TrimSpace(string(line[:open])))
		fields := strings.Fields(string(line[shut+1:]))
		number := func(i int) float64 { n, _ := strconv.ParseFloat(fields[i-3], 64); return n }
		p := all[pid]
		p.name = string(line[open+1 : shut])
		p.parent = int(number(4))
		p.cpu = (number(14) + number(15) + number(16) + number(17)) / ticks
		all[pid] = p
	}
	return all
}

// tree is a process and all below it.
func (all processes) tree(root int) (pids []int) {
	pids = []int{root}
	for i := 0; i < len(pids); i++ {
		for pid, p := range all {
			if p.parent == pids[i] {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

func (all processes) cpu(root int) (seconds float64) {
	for _, pid := range all.tree(root) {
		seconds += all[pid].cpu
	}
	return seconds
}

// memory is a line of /proc/PID/status, VmRSS or VmHWM, in MB.
func memory(t *testing.T, pid int, name string) float64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(status), "\n") {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(value)[0], 64)
			return kb / 1024
		}
	}
	t.Fatalf("no %s of process %d", name, pid)
	return 0
}

// written is how many MB a process has sent to the disk.
func written(t *testing.T, pid int) float64 {
	t.Helper()
	io, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(io), "\nwrite_bytes: ")
	number, _, _ := strings.Cut(after, "\n")
	n, _ := strconv.ParseFloat(number, 64)
	return n / (1 << 20)
}

// busy is the CPU time of the whole machine.
func busy(t *testing.T) (seconds float64) {
	t.Helper()
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(stat), "\n")
	for i, field := range strings.Fields(line)[1:] {
		if n, _ := strconv.ParseFloat(field, 64); i != 3 && i != 4 && i < 7 { // idle, waiting for a disk, stolen
			seconds += n / ticks
		}
	}
	return seconds
}

// meter is the CPU of named process trees since it was started.
type meter struct {
	t     *testing.T
	began time.Time
	roots map[string]int
	at    map[string]float64
	busy  float64
	bench float64
}

func startMeter(t *testing.T, roots map[string]int) *meter {
	t.Helper()
	m := &meter{t: t, roots: roots, at: map[string]float64{}, busy: busy(t), bench: own()}
	all := readProcesses()
	for name, pid := range roots {
		m.at[name] = all.cpu(pid)
	}
	m.began = time.Now()
	return m
}

// add counts a process that has just been started.
func (m *meter) add(name string, pid int) { m.roots[name], m.at[name] = pid, 0 }

// cost is what one measurement took.
type cost struct {
	seconds float64
	cpu     map[string]float64 // seconds, by tree
	all     float64            // of the trees together
	bench   float64            // of this process, which also is the submission server
	others  float64            // of everything else on the machine, in cores: the noise
}

func (m *meter) read() cost {
	c := cost{seconds: time.Since(m.began).Seconds(), cpu: map[string]float64{}}
	all := readProcesses()
	for name, pid := range m.roots {
		c.cpu[name] = all.cpu(pid) - m.at[name]
		c.all += c.cpu[name]
	}
	c.bench = own() - m.bench
	c.others = (busy(m.t) - m.busy - c.all - c.bench) / c.seconds
	return c
}

// own is the CPU of this process alone: the submission server that takes the mails, and the watching.
func own() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // it has no reason to
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// figure is one number of a part.
type figure struct {
	Part  string  `json:"part"`
	What  string  `json:"what"`
	Name  string  `json:"figure"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit,omitempty"`
	Run   int     `json:"run"`
}

// report gathers figures and says them at the end.
type report struct {
	t       *testing.T
	out     *os.File // JSON lines; nil when not wanted
	run     int
	figures []figure
}

func startReport(t *testing.T) *report {
	r := &report{t: t}
	if name := os.Getenv("BENCH_OUT"); name != "" {
		var err error
		if r.out, err = os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.out.Close() })
	}
	return r
}

func (r *report) add(part, what, name string, value float64, unit string) {
	f := figure{part, what, name, value, unit, r.run}
	r.figures = append(r.figures, f)
	r.t.Logf("%s  %-28s %-34s %10.2f %s", f.Part, f.What, f.Name, f.Value, f.Unit)
	if r.out == nil {
		return
	}
	line, err := json.Marshal(f)
	if err == nil {
		_, err = r.out.Write(append(line, '\n'))
	}
	if err != nil {
		r.t.Error(err)
	}
}

// addCost reports the CPU of a run over so many mails.
func (r *report) addCost(part, what string, c cost, mails int) {
	r.add(part, what, "seconds", c.seconds, "s")
	r.add(part, what, "mails a second", float64(mails)/c.seconds, "1/s")
	names := []string{}
	for name := range c.cpu {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		r.add(part, what, "CPU "+name, c.cpu[name], "s")
	}
	r.add(part, what, "CPU of the bench itself", c.bench, "s")
	r.add(part, what, "CPU a mail", 1000*c.all/float64(mails), "ms")
	r.add(part, what, "others on this machine", max(0, c.others), "cores")
}

// median is the middle value of a figure over the runs; 0 when it was not taken.
func (r *report) median(part, what, name string) float64 {
	var values []float64
	for _, f := range r.figures {
		if f.Part == part && f.What == what && f.Name == name {
			values = append(values, f.Value)
		}
	}
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// table is the medians, in the order they were taken.
func (r *report) table() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "part\twhat\tfigure\tvalue\t\ttarget")
	seen := map[figure]bool{}
	for _, f := range r.figures {
		key := figure{Part: f.Part, What: f.What, Name: f.Name}
		if seen[key] {
			continue
		}
		seen[key] = true
		fmt.Fprintf(w, "%s\t%s\t%s\t%.2f\t%s\t%s\n", f.Part, f.What, f.Name, r.median(f.Part, f.What, f.Name), f.Unit, targetOf(f, r.median(f.Part, f.What, f.Name)))
	}
	w.Flush()
	return b.String()
}

// target bounds a figure of a part.
type target struct {
	part, name string
	atLeast    bool
	bound      float64
}

var targets = []target{
	{"b", "speed beside mbsync", true, 1},
	{"c", "speed beside mbsync", true, 1},
	{"b", "CPU a mail", false, 2.5},
	{"c", "CPU a mail", false, 2.5},
	{"b", "CPU a mail, until accepted", false, 2.5},
	{"c", "CPU a mail, until accepted", false, 2.5},
	{"b", "peak memory", false, 150},
	{"c", "peak memory", false, 150},
	{"d", "p50", false, 100},
	{"d", "p99", false, 500},
	{"e", "memory", false, 150},
	{"e", "CPU with a poll every 5 min", false, 1},
	{"f", "seconds beside an empty store", false, 1.2},
	{"f", "CPU beside an empty store", false, 1.2},
}

func targetOf(f figure, value float64) string {
	for _, g := range targets {
		if g.part != f.Part || g.name != f.Name {
			continue
		}
		if g.atLeast {
			return fmt.Sprintf(">= %g %s", g.bound, verdict(value >= g.bound))
		}
		return fmt.Sprintf("<= %g %s", g.bound, verdict(value <= g.bound))
	}
	return ""
}

func verdict(met bool) string {
	if met {
		return "met"
	}
	return "MISSED"
}
