/**
 * A certificate for this machine, `files.example` and `registry.example` that nobody has a reason to trust, and its key:
 * both are public, and good for tests only.
 */
export const selfSigned = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgS5eEMXZHyAWCZIZN
TDaX2T+0sS63mXI6SBeIFgAUS9WhRANCAARt/s2jvn7VUu8k+fft/Pcp9ixsGToe
eDGFPgaO7Joc+vCinvTmyV/Hu7EtGzphnTWnBmt6CPDR1CdypcFCvOqL
-----END PRIVATE KEY-----
`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBhzCCAS6gAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhv
c3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyNjAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM
CWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABG3+zaO+ftVS7yT5
9+389yn2LGwZOh54MYU+Bo7smhz68KKe9ObJX8e7sS0bOmGdNacGa3oI8NHUJ3Kl
wUK86oujbzBtMDsGA1UdEQQ0MDKCCWxvY2FsaG9zdIINZmlsZXMuZXhhbXBsZYIQ
cmVnaXN0cnkuZXhhbXBsZYcEfwAAATAPBgNVHRMBAf8EBTADAQH/MB0GA1UdDgQW
BBQW78cZVH+6K9RpUmUgLfPhG8QBqDAKBggqhkjOPQQDAgNHADBEAiBMVyIvh2fG
FUDx5Uz4wAwr9fUU/QilenKFpzR3xWURxwIgU+o4gPH7m3xK+3+/MFOmGqSGQF/u
Y6eDYQmTLqiLlH4=
-----END CERTIFICATE-----
`,
};
