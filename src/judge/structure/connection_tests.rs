//! Connection strings of every service and carrier, and those that hold no secret.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;

fn key(bytes: usize) -> String {
    let raw: Vec<u8> = (0..bytes as u32)
        .map(|n| (n * n * 37 + n * 11 + 129) as u8)
        .collect();
    STANDARD.encode(raw)
}

/// Reads the string around the value that stands where the template has `{s}`.
fn with<T>(template: &str, secret: &str, look: impl FnOnce(Connection<'_>) -> T) -> T {
    let at = template
        .find("{s}")
        .expect("the template has a place for the secret");
    let text = template.replace("{s}", secret);
    let inside = ViewSpan::new(at, at + secret.len());
    let all = ViewSpan::new(0, text.len());
    look(parse(text.as_bytes(), inside, all).unwrap_or_else(|| panic!("{template} is none")))
}

#[test]
fn services_and_hosts() {
    let pw = ["Vq7", "hunter", "#2"].concat();
    for (template, len, service, host) in [
        (
            "c = \"DefaultEndpointsProtocol=https;AccountName=acc;AccountKey={s};EndpointSuffix=core.windows.net\"",
            64,
            "Azure Storage",
            "acc.core.windows.net",
        ),
        (
            "AccountKey={s};AccountName=acc;EndpointSuffix=core.chinacloudapi.cn",
            64,
            "Azure Storage",
            "acc.core.chinacloudapi.cn",
        ),
        (
            "DefaultEndpointsProtocol=https;AccountName=a;AccountKey={s};TableEndpoint=https://a.table.cosmos.azure.com:443/;",
            64,
            "Azure Cosmos DB for Table",
            "a.table.cosmos.azure.com",
        ),
        (
            "AccountEndpoint=https://a.documents.azure.com:443/;AccountKey={s};",
            64,
            "Azure Cosmos DB",
            "a.documents.azure.com",
        ),
        (
            "password=\"Endpoint=sb://n.servicebus.windows.net/;SharedAccessKeyName=Send;SharedAccessKey={s};EntityPath=q\"",
            32,
            "Azure Service Bus or Event Hubs",
            "n.servicebus.windows.net",
        ),
        (
            "HostName=h.azure-devices.net;SharedAccessKeyName=iothubowner;SharedAccessKey={s}",
            32,
            "Azure IoT Hub",
            "h.azure-devices.net",
        ),
        (
            "HostName=h.azure-devices.net;DeviceId=d;SharedAccessKey={s}",
            32,
            "Azure IoT device",
            "h.azure-devices.net",
        ),
        (
            "Endpoint=https://n.service.signalr.net;AccessKey={s};Version=1.0;",
            32,
            "Azure SignalR Service",
            "n.service.signalr.net",
        ),
        (
            "Endpoint=https://n.azconfig.io;Id=abcd;Secret={s}",
            32,
            "Azure App Configuration",
            "n.azconfig.io",
        ),
        (
            "endpoint=https://n.communication.azure.com/;accesskey={s}",
            64,
            "Azure Communication Services",
            "n.communication.azure.com",
        ),
        (
            "Server=tcp:s.database.windows.net,1433;Initial Catalog=d;User ID=u;Password={s};Encrypt=True",
            0,
            "Azure SQL Database",
            "s.database.windows.net",
        ),
        (
            "jdbc:sqlserver://s.database.windows.net:1433;database=D;user=U@S;password={s};",
            0,
            "Azure SQL Database",
            "s.database.windows.net",
        ),
        (
            "DRIVER={ODBC Driver 18 for SQL Server};SERVER=sql.corp.net;UID=u;PWD={s}",
            0,
            "SQL Server",
            "sql.corp.net",
        ),
        (
            "host=s.postgres.database.azure.com user=u password={s} dbname=d",
            0,
            "Azure Database for PostgreSQL",
            "s.postgres.database.azure.com",
        ),
        (
            "\"c.redis.cache.windows.net:6380,password={s},ssl=True\"",
            32,
            "Azure Cache for Redis",
            "c.redis.cache.windows.net",
        ),
        (
            "export CONN=Server=s-ondemand.sql.azuresynapse.net;Uid=u;Pwd={s}",
            0,
            "Azure Synapse",
            "s-ondemand.sql.azuresynapse.net",
        ),
    ] {
        let secret = if len == 0 { pw.clone() } else { key(len) };
        with(template, &secret, |string| {
            assert_eq!(
                string.service().map(|s| s.name),
                Some(service),
                "{template}"
            );
            assert_eq!(string.shown_host().as_deref(), Some(host), "{template}");
            assert_eq!(string.value(), secret.as_bytes(), "{template}");
            assert_eq!(string.harmless(), None, "{template}");
        });
    }
}

#[test]
fn values_end_where_their_carrier_says() {
    for (template, secret) in [
        ("x = \"Server=s;User ID=u;Password={s}\"", "a b,c"),
        ("x = \"Server=s;Password='{s}';Database=d\"", "a;b\"c"),
        ("PWD={{s}};SERVER=s;DRIVER={X}", "a;b}}c"),
        ("cmd --c Server=s;Password={s} --other", "ab,c"),
        ("<add connectionString='Server=s;Password={s}' />", "a<b"),
        ("<value>Server=s;Password={s}</value>", "a-b-c"),
        ("\\\"Server=s;Password={s}\\\"", "abc9"),
        ("Server=s;Password={s}\nOther=1", "abc9"),
        ("User='me';Password={s};Server=s", "abc9"),
    ] {
        with(template, secret, |string| {
            assert_eq!(
                String::from_utf8_lossy(string.value()),
                secret,
                "{template}"
            );
        });
    }
}

#[test]
fn strings_over_several_lines() {
    let template = "\"\"\"\n  Server=tcp:s.database.windows.net;\n  User ID=u;\n  Password={s};\n  Database=d;\nprint(1)";
    with(template, "abc9", |string| {
        assert_eq!(
            string.shown_host().as_deref(),
            Some("s.database.windows.net")
        );
        assert_eq!(string.get("database"), Some(&b"d"[..]));
        assert_eq!(string.value(), b"abc9");
    });
    let apart =
        "A=https://localhost:8081;\nAccountEndpoint=https://a.documents.azure.com;AccountKey={s}";
    with(apart, &key(64), |string| {
        assert_eq!(string.harmless(), None)
    });
}

#[test]
fn strings_without_a_secret() {
    let signalr: String = ('A'..='Z').chain('0'..='9').chain('A'..='H').collect();
    for (template, secret) in [
        ("UseDevelopmentStorage=true;AccountKey={s}", key(64)),
        (
            "AccountName=devstoreaccount1;AccountKey={s};BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1",
            key(64),
        ),
        (
            "AccountEndpoint=https://localhost:8081/;AccountKey={s}",
            key(64),
        ),
        (
            "Endpoint=sb://localhost;SharedAccessKeyName=R;SharedAccessKey={s};UseDevelopmentEmulator=true",
            "SAS_KEY_VALUE".into(),
        ),
        (
            "Endpoint=http://localhost;Port=8888;AccessKey={s};Version=1.0;",
            signalr,
        ),
        (
            "Server=s.database.windows.net;Authentication=Active Directory Default;Password={s}",
            "abc9".into(),
        ),
        (
            "Server=s;Integrated Security=SSPI;Password={s}",
            "abc9".into(),
        ),
        ("Server=s;Trusted_Connection=yes;PWD={s}", "abc9".into()),
    ] {
        with(template, &secret, |string| {
            assert!(string.harmless().is_some(), "{template}")
        });
    }
    let entra = "Server=s;Authentication=Active Directory Password;User ID=u;Password={s}";
    with(entra, "abc9", |string| assert_eq!(string.harmless(), None));
}

#[test]
fn emulator_keys_are_known_by_hash() {
    // In parts, so that no scanner stumbles over this file.
    let storage = [
        "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsu",
        "Fq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
    ];
    let cosmos = [
        "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nD",
        "uVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw==",
    ];
    for parts in [storage, cosmos] {
        assert!(is_emulator_key(parts.concat().as_bytes()));
    }
    assert!(!is_emulator_key(key(64).as_bytes()));
}

#[test]
fn a_value_is_that_of_the_key_right_before_it() {
    let key = key(64);
    for template in [
        "u=https://h/?a=b&AccountKey={s};",
        "u=https://h/?database=b&AccountKey={s};",
        "x=a.a&AccountKey={s}",
    ] {
        with(template, &key, |string| {
            assert_eq!(string.value(), key.as_bytes(), "{template}");
        });
    }
    // What a query says is not said of the string.
    for query in ["https://h/?a=1&server=localhost", "1&server=localhost"] {
        let template = format!("Callback={query};Server=s.database.windows.net;Password={{s}}");
        with(&template, "Vq7hunter", |string| {
            let host = string.host();
            assert_eq!(host.as_deref(), Some(&b"s.database.windows.net"[..]));
        });
    }
    // Nothing parts it from the value of another.
    let text = format!("u=https://h/a.{key};");
    let inside = ViewSpan::new(text.len() - key.len() - 1, text.len() - 1);
    assert!(parse(text.as_bytes(), inside, ViewSpan::new(0, text.len())).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_bytes_are_fine(
        text in proptest::collection::vec(
            prop_oneof![any::<u8>(), prop::sample::select(b"\"'{};=<>\n, aPwd".to_vec())], 1..200),
        a in any::<prop::sample::Index>(),
        b in any::<prop::sample::Index>(),
        c in any::<prop::sample::Index>(),
    ) {
        let (a, b) = (a.index(text.len()), b.index(text.len()));
        let stretch = ViewSpan::new(c.index(a.min(b) + 1), text.len());
        if let Some(string) = parse(&text, ViewSpan::new(a.min(b), a.max(b)), stretch) {
            string.harmless();
            string.service();
            string.policy();
            let secret = string.secret();
            prop_assert!(secret.end as usize <= text.len());
            let opened = &text[secret.start as usize..a.min(b)];
            let is_mark = |byte: &u8| is_quote(*byte) || *byte == b'{';
            prop_assert!(opened.iter().all(is_mark));
        }
    }
}
