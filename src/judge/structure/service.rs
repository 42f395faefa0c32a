//! Which service a host belongs to.

use crate::rules::Severity;

/// A service that a connection string or URL leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// Such as `Azure Cosmos DB`.
    pub name: &'static str,
    /// Such as `connection string`.
    pub form: &'static str,
    pub grants: &'static str,
    pub severity: Severity,
    /// Whether the secret is a key that the service made, rather than a password.
    pub key: bool,
}

const fn keyed(name: &'static str, severity: Severity, grants: &'static str) -> Service {
    Service {
        name,
        form: "connection string",
        grants,
        severity,
        key: true,
    }
}

const fn database(name: &'static str) -> Service {
    Service {
        name,
        form: "connection string with password",
        grants: "everything the user may do in the database",
        severity: Severity::High,
        key: false,
    }
}

pub const STORAGE: Service = keyed(
    "Azure Storage",
    Severity::Critical,
    "read, write and delete everything in the account, and make SAS tokens",
);
pub const COSMOS: Service = keyed(
    "Azure Cosmos DB",
    Severity::Critical,
    "read, write and delete all data in the account",
);
pub const COSMOS_TABLE: Service = keyed(
    "Azure Cosmos DB for Table",
    Severity::Critical,
    "read, write and delete all tables in the account",
);
pub const MESSAGING: Service = keyed(
    "Azure Service Bus or Event Hubs",
    Severity::High,
    "send or receive messages as its rule allows",
);
pub const RELAY: Service = keyed(
    "Azure Relay",
    Severity::High,
    "listen or send as its rule allows",
);
pub const EVENT_HUBS: Service = keyed(
    "Azure Event Hubs",
    Severity::High,
    "send or receive events as its rule allows",
);
pub const SERVICE_BUS: Service = keyed(
    "Azure Service Bus",
    Severity::High,
    "send or receive messages as its rule allows",
);
pub const IOT_HUB: Service = keyed(
    "Azure IoT Hub",
    Severity::Critical,
    "manage devices and read their messages as the policy allows",
);
pub const IOT_DEVICE: Service = keyed(
    "Azure IoT device",
    Severity::Medium,
    "act as the one device",
);
pub const DPS: Service = keyed(
    "Azure IoT Device Provisioning Service",
    Severity::Critical,
    "enrol devices of one's own",
);
pub const SIGNALR: Service = keyed(
    "Azure SignalR Service",
    Severity::High,
    "send to all clients and mint client tokens",
);
pub const WEB_PUBSUB: Service = keyed(
    "Azure Web PubSub",
    Severity::High,
    "send to all clients and mint client tokens",
);
pub const APP_CONFIGURATION: Service = keyed(
    "Azure App Configuration",
    Severity::High,
    "read all settings, other secrets among them, and change them if the key may write",
);
pub const COMMUNICATION: Service = keyed(
    "Azure Communication Services",
    Severity::High,
    "send mail and messages and mint user tokens in the owner's name",
);
pub const REDIS: Service = keyed(
    "Azure Cache for Redis",
    Severity::High,
    "read and change everything in the cache",
);
pub const SQL_SERVER: Service = database("SQL Server");
pub const POSTGRES: Service = database("PostgreSQL");
pub const MYSQL: Service = database("MySQL");

/// Host endings, most exact first.
const HOSTS: &[(&str, Service)] = &[
    (".service.signalr.net", SIGNALR),
    (".webpubsub.azure.com", WEB_PUBSUB),
    (".azconfig.io", APP_CONFIGURATION),
    (".azconfig.azure.cn", APP_CONFIGURATION),
    (".azconfig.azure.us", APP_CONFIGURATION),
    (".communication.azure.com", COMMUNICATION),
    (".servicebus.windows.net", MESSAGING),
    (".servicebus.chinacloudapi.cn", MESSAGING),
    (".servicebus.usgovcloudapi.net", MESSAGING),
    (".servicebus.cloudapi.de", MESSAGING),
    (".azure-devices-provisioning.net", DPS),
    (".azure-devices.net", IOT_HUB),
    (".azure-devices.cn", IOT_HUB),
    (".azure-devices.us", IOT_HUB),
    (".table.cosmos.azure.com", COSMOS_TABLE),
    (
        ".mongocluster.cosmos.azure.com",
        database("Azure Cosmos DB for MongoDB vCore"),
    ),
    (".mongo.cosmos.azure.com", COSMOS),
    (".cassandra.cosmos.azure.com", COSMOS),
    (".gremlin.cosmos.azure.com", COSMOS),
    (
        ".postgres.cosmos.azure.com",
        database("Azure Cosmos DB for PostgreSQL"),
    ),
    (".documents.azure.com", COSMOS),
    (".documents.azure.cn", COSMOS),
    (".documents.azure.us", COSMOS),
    (".redis.cache.windows.net", REDIS),
    (".redis.cache.chinacloudapi.cn", REDIS),
    (".redis.cache.usgovcloudapi.net", REDIS),
    (".redisenterprise.cache.azure.net", REDIS),
    (".redis.azure.net", REDIS),
    (".sql.azuresynapse.net", database("Azure Synapse")),
    (".database.windows.net", database("Azure SQL Database")),
    (".database.chinacloudapi.cn", database("Azure SQL Database")),
    (
        ".database.usgovcloudapi.net",
        database("Azure SQL Database"),
    ),
    (
        ".postgres.database.azure.com",
        database("Azure Database for PostgreSQL"),
    ),
    (
        ".mysql.database.azure.com",
        database("Azure Database for MySQL"),
    ),
    (
        ".mariadb.database.azure.com",
        database("Azure Database for MariaDB"),
    ),
    (".database.azure.com", database("Azure database")),
    (".core.windows.net", STORAGE),
    (".core.chinacloudapi.cn", STORAGE),
    (".core.usgovcloudapi.net", STORAGE),
    (".core.cloudapi.de", STORAGE),
];

/// The service at `host`, which is lower case and without a port.
pub fn of_host(host: &[u8]) -> Option<Service> {
    let found = HOSTS.iter().find(|(end, _)| host.ends_with(end.as_bytes()));
    found.map(|(_, service)| *service)
}

/// Services by the start of their names, most exact first, and the rule that knows how to rotate
/// their secrets.
const ROTATED_AS: &[(&str, &str)] = &[
    ("Azure Storage", "azure-storage-key"),
    (
        "Azure Cosmos DB for PostgreSQL",
        "postgres-environment-password",
    ),
    ("Azure Cosmos DB", "azure-cosmos-key"),
    ("Azure Batch", "azure-batch-key"),
    ("Azure ML Studio (classic)", "azure-ml-classic-key"),
    ("Azure Machine Learning endpoint", "azure-ml-endpoint-key"),
    ("Azure API Management", "azure-apim-key"),
    ("Azure Service Bus", "azure-service-bus-key"),
    ("Azure Event Hubs", "azure-event-hubs-key"),
    ("Azure Relay", "azure-relay-key"),
    ("Azure Event Grid", "azure-event-grid-key"),
    (
        "Azure IoT Device Provisioning Service",
        "azure-iot-group-key",
    ),
    ("Azure IoT", "azure-iot-key"),
    ("Azure Cache for Redis", "azure-redis-key"),
    ("Azure Functions", "azure-functions-key"),
    ("Azure AI Search", "azure-search-key"),
    ("Azure Container Registry", "azure-registry-password"),
    ("Azure App Configuration", "azure-app-configuration"),
    (
        "Azure SignalR Service",
        "azure-connection-string-access-key",
    ),
    ("Azure Maps", "azure-maps-key"),
    ("Azure DevOps", "azure-devops-token"),
    ("Azure Bot Service", "azure-bot-direct-line"),
    ("Azure OpenAI", "azure-ai-key-legacy"),
    ("Azure AI ", "azure-ai-key-legacy"),
    (
        "Azure Database for PostgreSQL",
        "postgres-environment-password",
    ),
    ("Azure Database for MySQL", "mysql-command-password"),
    ("Azure SQL Database", "sql-connection-password"),
];

/// The id of the rule whose steps rotate the secrets of the service of this name.
pub fn rotated_as(name: &str) -> Option<&'static str> {
    let found = ROTATED_AS.iter().find(|(start, _)| name.starts_with(start));
    found.map(|(_, rule)| *rule)
}

/// Whether an authorization rule of this name has all rights by default.
pub fn is_root_policy(name: &str) -> bool {
    const ROOT: [&str; 2] = [
        "rootmanagesharedaccesskey",
        "defaultfullsharedaccesssignature",
    ];
    ROOT.iter().any(|root| name.eq_ignore_ascii_case(root))
}

/// Whether a host is the developer's own machine, a container beside it, or made up.
pub fn is_local_or_made_up(host: &[u8]) -> bool {
    const NAMES: &[&[u8]] = &[
        b"localhost",
        b"127.0.0.1",
        b"0.0.0.0",
        b"[::1]",
        b"::1",
        b".",
        b"(local)",
        b"(localdb)",
        b"db",
        b"database",
        b"host",
        b"hostname",
        b"server",
        b"servername",
        b"postgres",
        b"postgresql",
        b"mysql",
        b"mariadb",
        b"mongo",
        b"mongodb",
        b"redis",
        b"rabbitmq",
        b"proxy",
        b"sqlserver",
        b"mssql",
        b"host.docker.internal",
        b"example",
        b"example.com",
        b"example.org",
        b"example.net",
    ];
    const ENDS: &[&[u8]] = &[
        b".example.com",
        b".example.org",
        b".example.net",
        b".example",
        b".test",
        b".invalid",
        b".localhost",
        b"localdomain",
    ];
    let host = host.strip_prefix(b"tcp:").unwrap_or(host);
    let host = match memchr::memchr2(b',', b'\\', host) {
        Some(end) => &host[..end],
        None => host,
    };
    NAMES.iter().any(|name| host.eq_ignore_ascii_case(name))
        || ENDS.iter().any(|end| super::text::ends_with_ci(host, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longer_endings_win() {
        let name = |host: &str| of_host(host.as_bytes()).map(|s| s.name);
        assert_eq!(
            name("a.table.cosmos.azure.com"),
            Some("Azure Cosmos DB for Table")
        );
        assert_eq!(name("a.table.core.windows.net"), Some("Azure Storage"));
        assert_eq!(
            name("s-ondemand.sql.azuresynapse.net"),
            Some("Azure Synapse")
        );
        assert_eq!(
            name("s.mysql.database.azure.com"),
            Some("Azure Database for MySQL")
        );
        assert_eq!(name("example.com"), None);
    }

    #[test]
    fn what_rotates_a_service_is_a_rule_of_that_service() {
        let rules = crate::rules::RuleSet::built_in();
        for (_, id) in ROTATED_AS {
            assert!(rules.find(id).is_some(), "{id}");
        }
        for (_, service) in HOSTS.iter().filter(|(_, service)| service.key) {
            let rule = rotated_as(service.name).and_then(|id| rules.find(id));
            assert!(rule.is_some() || *service == WEB_PUBSUB || *service == COMMUNICATION);
        }
    }

    #[test]
    fn local_hosts() {
        for host in [
            "LOCALHOST",
            "tcp:localhost,1433",
            ".\\sqlexpress",
            "mail.example.com",
            "db",
        ] {
            assert!(is_local_or_made_up(host.as_bytes()), "{host}");
        }
        for host in ["db.corp.net", "s.database.windows.net", ""] {
            assert!(!is_local_or_made_up(host.as_bytes()), "{host}");
        }
    }
}
