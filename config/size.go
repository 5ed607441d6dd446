package config

import (
	"fmt"
	"strconv"
	"strings"
)

// Size is a number of bytes.
type Size int64

// Units of a size, as the limits of mail servers count them.
const (
	KB Size = 1 << 10
	MB Size = 1 << 20
)

// ParseSize reads "30 MB" or "500 KB".
func ParseSize(s string) (Size, error) {
	const allowed = `say "30 MB" or "500 KB"`
	number, unit, _ := strings.Cut(strings.TrimSpace(s), " ")
	n, err := strconv.ParseUint(number, 10, 31)
	if err != nil {
		return 0, fmt.Errorf("%s is no size: %s", quote(s), allowed)
	}
	switch strings.TrimSpace(unit) {
	case "KB":
		return Size(n) * KB, nil
	case "MB":
		return Size(n) * MB, nil
	}
	return 0, fmt.Errorf("%s has no unit we know: %s", quote(s), allowed)
}

// String is the size as ParseSize reads it, rounded down to whole KB.
func (s Size) String() string {
	if s >= MB && s%MB == 0 {
		return fmt.Sprintf("%d MB", s/MB)
	}
	return fmt.Sprintf("%d KB", s/KB)
}
