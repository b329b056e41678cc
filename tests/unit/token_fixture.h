/*
 * Keys and tokens made by another program (Python's cryptography, and so OpenSSL), all with the same claims.
 */
#ifndef TOKEN_FIXTURE_H
#define TOKEN_FIXTURE_H

static const char fixture_jwks[] =
	"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"06fsVuG6bGCA75QmAUokHvMxJnv4t7z_yDEfeRFsHMY-Pm9Rtn1Buzdvv9_p4HbO"
	"9p6lkrgdUlbhvMvQjCWsj-T7r5RZ5jaO4wjo0wfGijImu8-XVrIjV2orTlRyGJuCxBfsSXhR3Asnlesjl03mngLNgDFFRcZo3JPT"
	"87yHsLEnFAN5yGicLSkF29cJhLKSXbaeXqMuBRXP-caQuAfJWdqgmzrMZEvQHlWC5BBILb9rnf_DWicdLr3a9Aoeske3NfXBDR00"
	"4zn1Y02gkVKNG4tippr2fb0GYZeQPJaEwZpYuyeDpzyvAOV6uTQMx8TSDkIG025nAneSQuPuYaZ2dQ\",\"e\":\"AQAB\",\"ki"
	"d\":\"rsa\"},{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"lDodJCbdvRQuIlfgnbfPRyvbcki051AoK-fGjwsCr8U\""
	",\"y\":\"oj6Hy4D3yUamElZkwaahz1JP_2-YrbmJXPm5ZGvrPzc\",\"kid\":\"p256\"},{\"kty\":\"EC\",\"crv\":\"P"
	"-384\",\"x\":\"jpHrmzN9KAgUadLp4GSDK2chINsFgBozzdfvgiVhbl0ISV1oxlx0cvL9dw6HsXrj\",\"y\":\"zEeVj_yNv6"
	"PySUeKTuKP3Blh3Uc-J4ZWUjwBDUUmUD7PWYYL38IAaBglPvyTMyK3\",\"kid\":\"p384\"},{\"kty\":\"EC\",\"crv\":"
	"\"P-521\",\"x\":\"AKYBQKYC3POKAcpQQGdjPlIC9ojRCAwT8l_RkQz3xj4XHUQ1fDERQpTRM41DdA1oOBXINECXtkoJ4K9n8h"
	"09aTCc\",\"y\":\"ATUHSzkvfjv2FoJYvFX7rnUM6K6ekZ-JsKzmULtp-BjONzb173jBf-si8kCDla6hD0CBLMLzmhmHbtZ9saf"
	"2YSQL\",\"kid\":\"p521\"},{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"VDyyvZnpiPHk9B4MWJBAaCFkcGsFn"
	"jVabCRptFDknCU\",\"kid\":\"ed\"}]}";

static const struct {
	const char *algorithm, *token;
} fixture_tokens[] = {
	{ "RS256",
	    "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InJzYSJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXV"
	    "kIjoiaW1hcCIsImVtYWlsIjoidGltQGV4YW1wbGUub3JnIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDM2MDB9.tMA1wB"
	    "vUwcLqK5sOHgRkvds9Kf73Gzr-g28h-Lg7zVOEAfzoP1_vqr_NfaGgcfzo_ngi7wXnJ37sLBoNB3jt7rJ8TiwtUZ6p0tHvKeEGO2"
	    "zmwP6TyQBLtgDtwukevOP_1pbukY7Pt0aBYofjept6QvZNc3PSlTudF0w-2r-o4XTR6hozMneaYMiMcZm3R1DBb4bYvLmD8BY7ZF"
	    "6_wddhPLTuxsn3jQchUyzIxRksj4pQsU5zNaNBFy-6uXPXvTJx-42XqcwXYzgsWpOV6BWWFote8bdJVXqoTyGKakOhOEFDk8kAmV"
	    "jO02SDOEGj8bj3zxjiJiNDuuhbrC8OuQlRJA" },
	{ "RS384",
	    "eyJhbGciOiJSUzM4NCIsInR5cCI6IkpXVCIsImtpZCI6InJzYSJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXV"
	    "kIjoiaW1hcCIsImVtYWlsIjoidGltQGV4YW1wbGUub3JnIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDM2MDB9.oeBGDC"
	    "aAX4Y8nSFJXs1Qxp5n9q6jqZBtNVwRftCQAlXxKLDO8eGlWoMqob3Jb78_jGkKoCnHVAo2JaEhYvKBxNnbcG9cgJnUG94D50rxZx"
	    "0LkGWyqaMkoP0JiQLCNbmkE6eGKc84sJxxF8iM7H4_N-KnCMGSosHlwQRdYnqOSra_FmVubWDJBAavM60YGD-eRoDQyphmfpiQKE"
	    "jkvPXWmBGy8IXunJHpuPvjUI09w0bkZSqOPL0oNfeepjelRXTglTL9ck88XMG5ozI0p6I2-utRJ-GSNtdaI_nJNRWzyExAqVfS_H"
	    "Pp4rthOMzVDUFdK_Y8BBSdLZJwfwwMaVudAg" },
	{ "RS512",
	    "eyJhbGciOiJSUzUxMiIsInR5cCI6IkpXVCIsImtpZCI6InJzYSJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXV"
	    "kIjoiaW1hcCIsImVtYWlsIjoidGltQGV4YW1wbGUub3JnIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDM2MDB9.o0smbk"
	    "KybfJvUeDRGEKgQPbLj9a3Nt5POyqMfWFaAsgDDRIdXHeW1veXhDQGpTeQ5lG3gddHi_sbHFbds_ZFbPduRLShq1H-tGASw-WmlC"
	    "VktwHQ01uA7pfr7DBa4pQjzVPSqKf-CXzR3gCerEqPd0dMaEqFWWzHdxao3s03x6eNc4p6GfMEdQAkxjFUQd99CBBb_A3tCZSC24"
	    "zGvsLnaI0qAaDv1XHRpmvbIDH7vK_FsQlpWlqT21Nhbg1KQKdUmjXaFu-xOeJQ0nqmHKEDF1yQaj86Q8N0j1qx9E1-qZS4iG0tm5"
	    "fIV2ewuZ8FZcg7Y_1LlyF01vUOMn3YwOe_oA" },
	{ "PS256",
	    "eyJhbGciOiJQUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InJzYSJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXV"
	    "kIjoiaW1hcCIsImVtYWlsIjoidGltQGV4YW1wbGUub3JnIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDM2MDB9.u6iEl7"
	    "FAmd9McFGPOuxRm7JzB4RB2VbZwWv4ue6168qlUyVU8PT-NZ7VqHZJdhrI30BLTj0rlx4-zgm1EVnwa9emthD3AcMrft5eNLORxu"
	    "u2X9J0cSy5nuKiF5gYukApGBn2eNFZw592VBH8AVO63vhYERTm5D8riant6woRXZhaVCTYsK1pnO2OXScI_lT62eJm7j7esrm3sb"
	    "E1sTQt3PHGQjQPOSnjWLUKWnL2VasChsgvnuLVnMT50HQHCvSHnQ10jyohLXMV3i2qqO4SPKA0RozUReSmlwdt14t6s9kywg8NZ2"
	    "nVn9hrp9jkwerL8rezTXx7HhT1S-T1fhKATQ" },
	{ "PS384",
	    "eyJhbGciOiJQUzM4NCIsInR5cCI6IkpXVCIsImtpZCI6InJzYSJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXV"
	    "kIjoiaW1hcCIsImVtYWlsIjoidGltQGV4YW1wbGUub3JnIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDM2MDB9.FagQfx"
	    "M1SYHdVJRM56ZKzWmu_-0vfe2WY_I9aq9YXALiInSj6ar-Q7o5J6H0SoSxKgk2f8kpbUGF52pd3Uhs0E0AoL9ENSRZXQgkG-2M-S"
	    "AncE0Eb4EC0oJRZWqiSMOULRBslfCNOiv10d5Cty0v-JkCXB6RO4QsZItEF0Pce0AfdwPTbxHzWt9rfsAn3fpnlDEvatzCToS59U"
	    "_r4B0_qC93e6edViL2_6V5QcylIA6ctTmOCmTpqTefZEPAFnjdIzeRTfrmzUDzW0_GirxnDsq9cGkA11npHMhmsqJ1jqWddGqVTz"
	    "x2QRpEspE3G1c7zdHU9HyfRaSy_TW6Uri41Q" },
	{ "PS512",
	    "eyJhbGciOiJQUzUxMiIsInR5cCI6IkpXVCIsImtpZCI6InJzYSJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXV"
	    "kIjoiaW1hcCIsImVtYWlsIjoidGltQGV4YW1wbGUub3JnIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDM2MDB9.0lnpy3"
	    "471cy-B-ehJwZS2odPzTZ0INNcb6Ji2QZfVqK3al8r9EcGTw5slrtk_N2F9JtDFVz0iHYG1vm2B03d6vK30sZyFTPx_YZj4XElU1"
	    "ifnNmuCBe3jfUuYf03QHduq4mrEFG6RjbbLlLLNfV6bT3Y2pSQd-tv03HphNI6hGxBUHbUMXfqliAUDW4m8VZwFKeKOSwKzPH_RU"
	    "J2UQZBW4KIISyGHZ2oD7ATrVg3v9tDBGFLu6EpcAAfVMuXkhkchYDrLtrYjEjj3GKLIKcihYj1s3BxTC6jOwnJ8sOc2rB64YJ2mw"
	    "flzTXchJezAYsuHyMNJFj303jKmwk3Mhg9AQ" },
	{ "ES256",
	    "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InAyNTYifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiY"
	    "XVkIjoiaW1hcCIsImVtYWlsIjoidGltQGV4YW1wbGUub3JnIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDM2MDB9.Uil6"
	    "20qc6zuj8BTb2Ce5BmyEt7WoMwBv_oG7l-KvqgXJiA6n2De3DwTcNYsXWafEjre6BL27e5O-9je26GljwA" },
	{ "ES384",
	    "eyJhbGciOiJFUzM4NCIsInR5cCI6IkpXVCIsImtpZCI6InAzODQifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiY"
	    "XVkIjoiaW1hcCIsImVtYWlsIjoidGltQGV4YW1wbGUub3JnIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDM2MDB9.j6vM"
	    "fS9ZjjHOPdsYMcisxPGpjxiRxWfzRu6QVM2TkXBFQk_CcVHQW_sRgDNeOg9oczIsmAwRbX2I0RkIze3nRKyDbTOTHRWumQPSXxam"
	    "Ja2Xu6jWurq7qUHv8d2yHGev" },
	{ "ES512",
	    "eyJhbGciOiJFUzUxMiIsInR5cCI6IkpXVCIsImtpZCI6InA1MjEifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiY"
	    "XVkIjoiaW1hcCIsImVtYWlsIjoidGltQGV4YW1wbGUub3JnIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDM2MDB9.AdAo"
	    "5HMLzqXQ_1flhPLP_EKKmIg7HnwL1HltDdRaU7brtqls5a23ivpwlseITisMU1K1trpYDMg3NBbTdvHK3OgbAAK2NLFHzZHpxh-F"
	    "rDiui0J6M42JRrYXNsMW6VyGwQjZgHaH_tJQPnqshjSKW5x0Eqv8WDendAZNnZLiHiz70e9_" },
	{ "EdDSA",
	    "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCIsImtpZCI6ImVkIn0.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXVk"
	    "IjoiaW1hcCIsImVtYWlsIjoidGltQGV4YW1wbGUub3JnIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDM2MDB9.p3NgBBY"
	    "y-bblnAbRypL_XmJpUOGMOLORvQClnjkCtUh6Rvv6kDHjj39x6T7eqxrACkYlA9lhJu3L68CAT21PDg" },
};

/* The same keys. */
static const char fixture_pem[] =
	"-----BEGIN PUBLIC KEY-----\n"
	"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA06fsVuG6bGCA75QmAUok\n"
	"HvMxJnv4t7z/yDEfeRFsHMY+Pm9Rtn1Buzdvv9/p4HbO9p6lkrgdUlbhvMvQjCWs\n"
	"j+T7r5RZ5jaO4wjo0wfGijImu8+XVrIjV2orTlRyGJuCxBfsSXhR3Asnlesjl03m\n"
	"ngLNgDFFRcZo3JPT87yHsLEnFAN5yGicLSkF29cJhLKSXbaeXqMuBRXP+caQuAfJ\n"
	"WdqgmzrMZEvQHlWC5BBILb9rnf/DWicdLr3a9Aoeske3NfXBDR004zn1Y02gkVKN\n"
	"G4tippr2fb0GYZeQPJaEwZpYuyeDpzyvAOV6uTQMx8TSDkIG025nAneSQuPuYaZ2\n"
	"dQIDAQAB\n"
	"-----END PUBLIC KEY-----\n"
	"-----BEGIN PUBLIC KEY-----\n"
	"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAElDodJCbdvRQuIlfgnbfPRyvbcki0\n"
	"51AoK+fGjwsCr8WiPofLgPfJRqYSVmTBpqHPUk//b5ituYlc+blka+s/Nw==\n"
	"-----END PUBLIC KEY-----\n"
	"-----BEGIN PUBLIC KEY-----\n"
	"MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEjpHrmzN9KAgUadLp4GSDK2chINsFgBoz\n"
	"zdfvgiVhbl0ISV1oxlx0cvL9dw6HsXrjzEeVj/yNv6PySUeKTuKP3Blh3Uc+J4ZW\n"
	"UjwBDUUmUD7PWYYL38IAaBglPvyTMyK3\n"
	"-----END PUBLIC KEY-----\n"
	"-----BEGIN PUBLIC KEY-----\n"
	"MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQApgFApgLc84oBylBAZ2M+UgL2iNEI\n"
	"DBPyX9GRDPfGPhcdRDV8MRFClNEzjUN0DWg4Fcg0QJe2Sgngr2fyHT1pMJwBNQdL\n"
	"OS9+O/YWgli8VfuudQzorp6Rn4mwrOZQu2n4GM43NvXveMF/6yLyQIOVrqEPQIEs\n"
	"wvOaGYdu1n2xp/ZhJAs=\n"
	"-----END PUBLIC KEY-----\n"
	"-----BEGIN PUBLIC KEY-----\n"
	"MCowBQYDK2VwAyEAVDyyvZnpiPHk9B4MWJBAaCFkcGsFnjVabCRptFDknCU=\n"
	"-----END PUBLIC KEY-----\n";

/* RSA of 1024 bits. */
static const char fixture_short_pem[] =
	"-----BEGIN PUBLIC KEY-----\n"
	"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCTH/oTy2xgyfOv27/FKBvHYRXn\n"
	"p1oG1Yi15jMbk6yeIL4H6vguj+Vza3lXt9XIdbDGBZN3rPc0Kx8jlWbu2plG3ZVq\n"
	"vvLtiydz53E4xaE5oaqGk4RBlCuLakSNazYQIOkGylNjZzCGf7LXNVvaL6xS7T1Z\n"
	"qNVRnXsoLePOEMOhUQIDAQAB\n"
	"-----END PUBLIC KEY-----\n";

static const char fixture_private_pem[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgReqC9d0NfjDcjVUf\n"
	"h8gIYkWVvb5ovRF1/yv3aLDUARGhRANCAASUOh0kJt29FC4iV+Cdt89HK9tySLTn\n"
	"UCgr58aPCwKvxaI+h8uA98lGphJWZMGmoc9ST/9vmK25iVz5uWRr6z83\n"
	"-----END PRIVATE KEY-----\n";

/* The key for RS256 as PKCS#1, and that for ES256 in a certificate. */
static const char fixture_other_pem[] =
	"-----BEGIN RSA PUBLIC KEY-----\n"
	"MIIBCgKCAQEA06fsVuG6bGCA75QmAUokHvMxJnv4t7z/yDEfeRFsHMY+Pm9Rtn1B\n"
	"uzdvv9/p4HbO9p6lkrgdUlbhvMvQjCWsj+T7r5RZ5jaO4wjo0wfGijImu8+XVrIj\n"
	"V2orTlRyGJuCxBfsSXhR3Asnlesjl03mngLNgDFFRcZo3JPT87yHsLEnFAN5yGic\n"
	"LSkF29cJhLKSXbaeXqMuBRXP+caQuAfJWdqgmzrMZEvQHlWC5BBILb9rnf/DWicd\n"
	"Lr3a9Aoeske3NfXBDR004zn1Y02gkVKNG4tippr2fb0GYZeQPJaEwZpYuyeDpzyv\n"
	"AOV6uTQMx8TSDkIG025nAneSQuPuYaZ2dQIDAQAB\n"
	"-----END RSA PUBLIC KEY-----\n"
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBBDCBq6ADAgECAgEBMAoGCCqGSM49BAMCMAwxCjAIBgNVBAMMAWswHhcNMjMw\n"
	"MTAxMDAwMDAwWhcNNDMwMTAxMDAwMDAwWjAMMQowCAYDVQQDDAFrMFkwEwYHKoZI\n"
	"zj0CAQYIKoZIzj0DAQcDQgAElDodJCbdvRQuIlfgnbfPRyvbcki051AoK+fGjwsC\n"
	"r8WiPofLgPfJRqYSVmTBpqHPUk//b5ituYlc+blka+s/NzAKBggqhkjOPQQDAgNI\n"
	"ADBFAiAEqvCu7WRrFNmoc9NwdDOV6yxw5fdhO7c8vUoLdTwcNQIhAIh3RH0WCExa\n"
	"nbr2D+aTFw40LYtGUBcusPWrS6VUXbra\n"
	"-----END CERTIFICATE-----\n";

/* Of another key, with the name of ours. */
static const char fixture_forged[] =
	"eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InJzYSJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXV"
	"kIjoiaW1hcCIsImVtYWlsIjoidGltQGV4YW1wbGUub3JnIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDM2MDB9.U-bACx"
	"DVltcB3SsAyuqJCyHLBIeMZ5-xas1oujiqQGoBQTDRJBprdaZWzCpZ3r1I0MRGzPKAQoW9Nwcx1RTh3xCejYWLkES_Z5F96YRJ-0"
	"7PnLGwnmRlOpYQ8OHkDwzI3DOWw2psGHMB2VARDFK5WhtR0zAWb_Eu8G1AAEh23V6EzqNAGzV3DctDxeugISBBbRz5UNt0w7apY2"
	"dzGZ-lLmV8GrudDrXR1z9hWPNe1hcJsK-mQZVxEyLY1DZa8trUPP7Erczq0cDPYZw1BUV1uIkey8RD4zvV0QKDvPFiJWrApGkv8J"
	"p2anY0cYbX0p-AfYZ4G9E3zGOTtYMwbP-OyA";

#endif
