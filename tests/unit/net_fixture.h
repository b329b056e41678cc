/*
 * A certificate and its key for the tests of TLS: P-256, imap.example.org, good for a century.
 */
#ifndef NET_FIXTURE_H
#define NET_FIXTURE_H

#define FIXTURE_CERTIFICATE \
    "-----BEGIN CERTIFICATE-----\n" \
    "MIIBqjCCAVCgAwIBAgIUT9gTMGzdwGCFLiB1xVJi+Up72X0wCgYIKoZIzj0EAwIw\n" \
    "GzEZMBcGA1UEAwwQaW1hcC5leGFtcGxlLm9yZzAgFw0yNjExMjMyMTE0MzFaGA8y\n" \
    "MTI2MTAzMDIxMTQzMVowGzEZMBcGA1UEAwwQaW1hcC5leGFtcGxlLm9yZzBZMBMG\n" \
    "ByqGSM49AgEGCCqGSM49AwEHA0IABK29HflJO7YMgExM6TuG3xGq7z+XE3ytkMrx\n" \
    "KOIyY9mQAirgfnZ8rgHIthVykWnNeqaoV30+adq6rl0k9at4oEejcDBuMB0GA1Ud\n" \
    "DgQWBBSY8M0FjMdkVYVVZnFDrE9mMUoZqTAfBgNVHSMEGDAWgBSY8M0FjMdkVYVV\n" \
    "ZnFDrE9mMUoZqTAPBgNVHRMBAf8EBTADAQH/MBsGA1UdEQQUMBKCEGltYXAuZXhh\n" \
    "bXBsZS5vcmcwCgYIKoZIzj0EAwIDSAAwRQIgHDOCWv9UUX214mf3+kVtrOUyqr9t\n" \
    "QwSb3Bia8lQQ5H8CIQDSGrysKxHdVlpgBu6hEA4ARVlA79AB8sxHxCEVc8/ZBQ==\n" \
    "-----END CERTIFICATE-----\n"

#define FIXTURE_KEY \
    "-----BEGIN PRIVATE KEY-----\n" \
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgEzQm+tFgJKtSLJ/D\n" \
    "T1AWXX3tOdcEDTuIOjZzEBkcQlKhRANCAAStvR35STu2DIBMTOk7ht8Rqu8/lxN8\n" \
    "rZDK8SjiMmPZkAIq4H52fK4ByLYVcpFpzXqmqFd9Pmnauq5dJPWreKBH\n" \
    "-----END PRIVATE KEY-----\n"

#endif
