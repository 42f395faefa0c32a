//! The names of the checks that rules may ask for. What each does is in [`crate::judge`].

macro_rules! checks {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// A named check of a match, beyond what a regex can say.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Check {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Check {
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)+
                    _ => None,
                }
            }

            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

impl Check {
    /// How far from the secret it looks on either side, in bytes, where that is farther than the judge
    /// looks in any case. What is farther off says nothing of the match.
    pub const fn reach(self) -> u32 {
        match self {
            Self::ConnectionString => 2048,
            Self::Sas => 4096,
            _ => 0,
        }
    }
}

checks! {
    /// Microsoft identifiable key: Marvin32 under the seeds of the signature's family.
    HisKey = "his-key",
    /// Microsoft 84-character key: base-62 Marvin32, service and issue month.
    Key84 = "key-84",
    /// Entra client secret of generation 8: base-66 Marvin32.
    Entra8 = "entra-8",
    /// Azure DevOps token of 52 base32 characters: CRC-32.
    DevopsCrc = "devops-crc",
    /// CRC-32 of the 30 characters after the prefix, in base 62 (GitHub, npm).
    CrcBase62 = "crc-base62",
    /// CRC-32 of the body, little-endian, base64 (Confluent).
    CrcBase64 = "crc-base64",
    /// CRC-32 of the body, eight hex digits (Zuplo).
    CrcHex = "crc-hex",
    /// CRC-16 inside base32 of type and key (NATS, Stellar).
    Crc16 = "crc16",
    /// The code at the end of a bech32 text (Nostr, Sui, age).
    Bech32 = "bech32",
    /// Decodes from base64 to 16, 20, 32, 40 or 64 bytes that are not text.
    Base64Key = "base64-key",
    /// A `;`-separated connection string; finds its host, names the service, drops what has no key.
    ConnectionString = "connection-string",
    /// The query of a shared access signature: scope, permissions, expiry.
    Sas = "sas",
    /// `scheme://user:password@host`.
    UrlPassword = "url-password",
    /// Header and payload decode to JSON; algorithm, issuer, audience, expiry.
    Jwt = "jwt",
    /// A private key block: kind, encryption, a body that is base64.
    Pem = "pem",
    /// An AWS key id: decodes to an account number, is no published example.
    AwsKeyId = "aws-key-id",
    /// Base64 of `user:password`.
    BasicAuth = "basic-auth",
    /// No word that people write when they have no password at hand.
    Password = "password",
    /// Upper case, lower case and a digit.
    MixedCase = "mixed-case",
    /// Upper and lower case letters.
    MixedLetters = "mixed-letters",
    /// At least one letter and one digit.
    LettersAndDigits = "letters-and-digits",
}
