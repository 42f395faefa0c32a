//! Values with parts: keys with sums, tokens, key blocks, signed queries.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::Generator;
use crate::checksum::{aws, bech32, crc16, devops, entra, his, key84};

/// The bytes that a private key of each kind begins with, and how many follow.
struct Block {
    kind: &'static str,
    label: &'static str,
    head: &'static [u8],
    rest: usize,
}

const BLOCKS: &[Block] = &[
    Block { kind: "", label: "PRIVATE KEY", head: b"\x30\x82\x04\xbd\x02\x01\x00\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\x04\x82\x04\xa7", rest: 1191 },
    Block { kind: "RSA", label: "RSA PRIVATE KEY", head: b"\x30\x82\x04\xa4\x02\x01\x00\x02\x82\x01\x01\x00", rest: 1180 },
    Block { kind: "DSA", label: "DSA PRIVATE KEY", head: b"\x30\x82\x03\x54\x02\x01\x00\x02\x82\x01\x01\x00", rest: 844 },
    Block { kind: "EC", label: "EC PRIVATE KEY", head: b"\x30\x77\x02\x01\x01\x04\x20", rest: 114 },
    Block { kind: "OPENSSH", label: "OPENSSH PRIVATE KEY", head: b"openssh-key-v1\0\0\0\0\x04none\0\0\0\x04none\0\0\0\0\0\0\0\x01", rest: 350 },
    Block { kind: "ENCRYPTED", label: "ENCRYPTED PRIVATE KEY", head: b"\x30\x82\x05\x0e\x30\x40\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d\x30", rest: 1278 },
    Block { kind: "PGP", label: "PGP PRIVATE KEY BLOCK", head: b"\x95\x05\x98\x04", rest: 1200 },
];

impl Generator {
    pub(super) fn shape(&mut self, name: &str, argument: &str) -> Result<String, String> {
        match name {
            "uuid" => Ok(self.uuid()),
            "his" => self.his(argument),
            "key84" => self.key84(argument),
            "entra8" => self.entra8(),
            "entra7" => Ok(format!(
                "{}7Q~{}",
                self.text(entra::ALPHABET, 3),
                self.text(entra::ALPHABET, 31)
            )),
            "devops" => Ok(devops::make(&self.bytes(), devops::Holder::User)),
            "aws-id" => Ok(self.aws_id(argument)),
            "crc16" => crc16::make(argument, &self.bytes()).ok_or("{crc16} needs a kind".into()),
            "bech32" => Ok(bech32::make(argument, &self.bytes::<32>())),
            "BECH32" => Ok(bech32::make(argument, &self.bytes::<32>()).to_ascii_uppercase()),
            "jwt" => Ok(self.jwt(FUTURE)),
            "jwt-expired" => Ok(self.jwt(PAST)),
            "pem" => self.pem(argument),
            "pkcs12" => Ok(self.pkcs12()),
            "sas-account" => Ok(self.sas("ss=bfqt&srt=sco&sp=rwdlacup")),
            "sas-service" => Ok(self.sas("sr=c&sp=racwl")),
            "sas-delegation" => {
                let (object, tenant) = (self.uuid(), self.uuid());
                let keys = format!(
                    "skoid={object}&sktid={tenant}&skt=2024-03-05T08:00:00Z\
                     &ske=2046-03-09T08:00:00Z&sks=b&skv=2022-11-02"
                );
                Ok(self.sas(&format!("{keys}&sr=c&sp=rl")))
            }
            "epoch-future" => Ok(self.second(FUTURE).to_string()),
            _ => Err(format!("unknown placeholder {{{name}}}")),
        }
    }

    fn uuid(&mut self) -> String {
        let [high, low] = [self.next(), self.next()];
        format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xfff,
            low >> 48 & 0xfff,
            low & 0xffff_ffff_ffff
        )
    }

    fn his(&mut self, argument: &str) -> Result<String, String> {
        let fault = "{his} needs a signature and a seed of one family";
        let (signature, seed) = argument.split_once(':').ok_or(fault)?;
        let (family, role) = his::find(signature, seed).ok_or(fault)?;
        let plain = |key: &str| key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'=');
        // Of keys without symbols about one draw in four is fit.
        for _ in 0..200 {
            let key = his::make(&self.bytes(), family, role);
            if !his::avoids_symbols(family) || plain(&key) {
                return Ok(key);
            }
        }
        Err("no key without symbols was drawn".into())
    }

    fn key84(&mut self, argument: &str) -> Result<String, String> {
        let fault = "{key84} needs a signature and provider data of four characters each";
        let (signature, provider) = argument.split_once(':').ok_or(fault)?;
        let random = self.b62(52);
        let date = [
            ["A", "B", "C"][self.below(3)],
            ["B", "D", "H", "L"][self.below(4)],
        ]
        .concat();
        let platform = match signature {
            "AZML" => "A".repeat(12),
            _ => format!("AC{}XJ3w3", self.b62(5)),
        };
        key84::make(&random, &date, &platform, provider, signature).ok_or(fault.into())
    }

    fn entra8(&mut self) -> Result<String, String> {
        let first = self.text(entra::ALPHABET, 3);
        let rest = self.text(entra::ALPHABET, 31);
        entra::make(&first, &rest).ok_or("an alphabet does not fit its secret".into())
    }

    fn aws_id(&mut self, prefix: &str) -> String {
        let account = 100_000_000_000 + self.next() % 800_000_000_000;
        let random = u128::from(self.next()) << 64 | u128::from(self.next());
        aws::make(prefix, account, random)
    }

    /// An access token of Entra ID that ends in the given span of seconds.
    fn jwt(&mut self, ends: std::ops::Range<u64>) -> String {
        let (tenant, app) = (self.uuid(), self.uuid());
        let end = self.second(ends);
        let key_id = self.b62(27);
        let header = format!(r#"{{"typ":"JWT","alg":"RS256","kid":"{key_id}"}}"#);
        let start = end - 3600;
        let payload = format!(
            r#"{{"aud":"https://management.azure.com","iss":"https://sts.windows.net/{tenant}/","iat":{start},"nbf":{start},"exp":{end},"appid":"{app}","tid":"{tenant}","ver":"1.0"}}"#
        );
        let signature: [u8; 256] = self.bytes();
        [header.as_bytes(), payload.as_bytes(), &signature]
            .map(|part| URL_SAFE_NO_PAD.encode(part))
            .join(".")
    }

    fn pem(&mut self, kind: &str) -> Result<String, String> {
        let block = BLOCKS
            .iter()
            .find(|block| block.kind == kind)
            .ok_or(format!("{{pem}} knows no kind {kind:?}"))?;
        let body = self.encode_after(block.head, block.rest);
        let mut text = format!("-----BEGIN {}-----\n", block.label);
        if kind == "PGP" {
            text.push('\n');
        }
        let mut rest = body.as_str();
        while !rest.is_empty() {
            let (line, tail) = rest.split_at(rest.len().min(64));
            text.push_str(line);
            text.push('\n');
            rest = tail;
        }
        text.push_str(&format!("-----END {}-----", block.label));
        Ok(text)
    }

    /// A PKCS#12 store: its outer sequence, the version 3, then bytes.
    fn pkcs12(&mut self) -> String {
        self.encode_after(b"\x30\x82\x0a\x10\x02\x01\x03\x30\x82\x09", 600)
    }

    fn encode_after(&mut self, head: &[u8], rest: usize) -> String {
        let mut bytes = head.to_vec();
        bytes.extend((0..rest).map(|_| self.next() as u8));
        STANDARD.encode(bytes)
    }

    /// The query of a storage SAS without its signature.
    fn sas(&mut self, scope: &str) -> String {
        let (year, month, day) = (
            2040 + self.below(10),
            1 + self.below(9),
            10 + self.below(18),
        );
        format!(
            "sv=2022-11-02&{scope}&st=2024-03-05T08:00:00Z&se={year}-0{month}-{day}T16:30:00Z&spr=https"
        )
    }

    fn second(&mut self, span: std::ops::Range<u64>) -> u64 {
        span.start + self.next() % (span.end - span.start)
    }
}

/// From 2049 to 2065, and the year 2021, in seconds since 1970.
const FUTURE: std::ops::Range<u64> = 2_500_000_000..3_000_000_000;
const PAST: std::ops::Range<u64> = 1_610_000_000..1_640_000_000;
