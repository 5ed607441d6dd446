package mailbox

import "testing"

func TestBaseSubject(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"Fanal trencat", "Fanal trencat"},
		{"Re: Fanal trencat", "Fanal trencat"},
		{"RE : Fanal", "Fanal"},
		{"Re: RV: Fwd: Fanal", "Fanal"},
		{"Re[2]: Fanal", "Fanal"},
		{"Re(3): Fanal", "Fanal"},
		{"Re^4: Fanal", "Fanal"},
		{"AW: WG: Fanal", "Fanal"},
		{"RES: ENC: Fanal", "Fanal"},
		{"TR : Rép : Fanal", "Fanal"},
		{"R: I: Fanal", "Fanal"},
		{"Rif: Fanal", "Fanal"},
		{"REENV: Resp.: Fanal", "Fanal"},
		{"Re：Fanal", "Fanal"},
		{"[Fwd: Fanal]", "Fanal"},
		{"Fwd: [Fwd: Re: Fanal]", "Fanal"},
		{"Fanal (fwd)", "Fanal"},
		{"Fanal (fwd) (FWD)", "Fanal"},
		{"[llista] Re: [altra] Fanal", "Fanal"},
		{"Re: [B-2026-004217-7] Fanal", "Fanal"},
		{"[llista]", "[llista]"},
		{"Re: [llista]", "[llista]"},
		{"Re [llista]: Fanal", "Fanal"},
		{"  Re:\t Fanal   trencat ", "Fanal trencat"},
		{"Re:", ""},
		{"Registre: Fanal", "Registre: Fanal"},
		{"Retorn de l’IRPF", "Retorn de l’IRPF"},
		{"Irrigació: queixa", "Irrigació: queixa"},
		{"", ""},
	} {
		if got := BaseSubject(c.in); got != c.want {
			t.Errorf("BaseSubject(%q): got %q, want %q", c.in, got, c.want)
		}
	}
}
