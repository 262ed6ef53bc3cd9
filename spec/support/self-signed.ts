/** A certificate for this machine that nobody has a reason to trust, and its key: both are public, and good for tests only. */
export const selfSigned = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgG1ti486jPrzi7hqf
OI4y9yIz8ucYltfJh/Sa7wC92LGhRANCAASeDpwQIXxGn+g0a9uqSvRL4t7K3aYt
7oee3l28X91fSr6A+Gz2ZOdFoREROGnwJ2tVb3AujtbXg+xugMIocTl8
-----END PRIVATE KEY-----
`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBmjCCAUGgAwIBAgIUewSaN3836qos1t7Z9I/BR09qLlcwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjIzMjIzMloYDzIxMjYxMDI5
MjMyMjMyWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASeDpwQIXxGn+g0a9uqSvRL4t7K3aYt7oee3l28X91fSr6A+Gz2ZOdF
oREROGnwJ2tVb3AujtbXg+xugMIocTl8o28wbTAdBgNVHQ4EFgQUqH24cqTaklVx
3wuQmgzraoNpnXEwHwYDVR0jBBgwFoAUqH24cqTaklVx3wuQmgzraoNpnXEwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDRwAwRAIgSmZRGEu33godNpgufMxocqPh8CQSfJs8Yh5KjQnpC74CIE7i
GB1Y2Qgf4aVP7tAWPoseY8mArYn0LlJSXwz04dQ+
-----END CERTIFICATE-----
`,
};
