//! What is known of each service: the way without a secret, the role, and what a rotation breaks.

use crate::finding::Finding;

/// Advice that depends on whose secret it is.
#[derive(Debug)]
pub struct Service {
    /// The rule's provider.
    provider: &'static str,
    /// Part of the rule's id or of the finding's title; empty for all of the provider's.
    about: &'static str,
    /// What needs no secret at all.
    pub passwordless: &'static str,
    /// The least role for that, and where it is given.
    pub role: &'static str,
    pub role_scope: &'static str,
    /// Where a deployment can read it from the resource itself.
    pub deploy_time: &'static str,
    /// What stops working when it is rotated.
    pub breaks: &'static str,
}

const fn service(provider: &'static str, about: &'static str) -> Service {
    Service {
        provider,
        about,
        passwordless: "",
        role: "",
        role_scope: "",
        deploy_time: "",
        breaks: "",
    }
}

const LIST_KEYS: &str = "listKeys() in Bicep or ARM, or the resource's key attribute in Terraform";

static SERVICES: &[Service] = &[
    Service {
        passwordless: "DefaultAzureCredential() for the client; identities get short user delegation SAS with az storage container generate-sas --as-user --auth-mode login",
        role: "Storage Blob Data Reader (or Contributor)",
        role_scope: "the container",
        breaks: "for a key: every client on it, every account and service SAS signed with it, Files mounts, AzureWebJobsStorage, AML datastores (az ml workspace sync-keys)",
        deploy_time: LIST_KEYS,
        ..service("Azure Storage", "")
    },
    Service {
        passwordless: "the client with the namespace host and DefaultAzureCredential(); Functions: CONNECTION__fullyQualifiedNamespace",
        role: "Azure Service Bus (or Event Hubs) Data Sender or Receiver",
        role_scope: "the queue, topic or hub",
        breaks: "connection strings and SAS tokens of that rule and key",
        deploy_time: LIST_KEYS,
        ..service("Azure messaging", "")
    },
    Service {
        passwordless: "CosmosClient(url, DefaultAzureCredential()); az cosmosdb sql role assignment create",
        role: "Cosmos DB Built-in Data Reader (or Contributor)",
        role_scope: "the database",
        breaks: "clients on that key, for minutes; --skip-safe-rotation true for a leaked key in use",
        deploy_time: LIST_KEYS,
        ..service("Azure Cosmos DB", "")
    },
    Service {
        passwordless: "a bearer token provider with DefaultAzureCredential() (scope https://cognitiveservices.azure.com/.default)",
        role: "Cognitive Services OpenAI User",
        role_scope: "the account",
        breaks: "applications on that key; move them to the second key first",
        deploy_time: LIST_KEYS,
        ..service("Azure OpenAI and AI services", "")
    },
    Service {
        passwordless: "the client with DefaultAzureCredential()",
        role: "Search Index Data Reader",
        role_scope: "the index",
        breaks: "indexers and applications on that key",
        deploy_time: LIST_KEYS,
        ..service("Azure AI Search", "")
    },
    Service {
        passwordless: "the provider with the endpoint and DefaultAzureCredential()",
        role: "App Configuration Data Reader",
        role_scope: "the store",
        breaks: "applications on connection strings",
        deploy_time: LIST_KEYS,
        ..service("Azure App Configuration", "")
    },
    Service {
        passwordless: "the client with DefaultAzureCredential()",
        role: "a data role of the service",
        role_scope: "the resource",
        breaks: "connections drop, tokens signed with the key end",
        deploy_time: LIST_KEYS,
        ..service("Azure SignalR, Web PubSub and Communication Services", "")
    },
    Service {
        passwordless: "Microsoft Entra sign-in for the cache with DefaultAzureCredential()",
        role: "Data Owner (or Contributor, Reader) access policy of the cache",
        role_scope: "the cache",
        breaks: "clients reconnect",
        deploy_time: LIST_KEYS,
        ..service("Azure Cache for Redis", "")
    },
    Service {
        passwordless: "az acr login, or AcrPull for the managed identity; turn the admin user off",
        role: "AcrPull",
        role_scope: "the registry",
        breaks: "docker logins and imagePullSecrets",
        ..service("Azure Container Registry", "")
    },
    Service {
        passwordless: "DefaultAzureCredential() for service applications; X.509 for devices",
        role: "IoT Hub Data Contributor",
        role_scope: "the hub",
        breaks: "applications using the policy; a device must be provisioned again",
        deploy_time: LIST_KEYS,
        ..service("Azure IoT", "")
    },
    Service {
        passwordless: "a managed identity; outside Azure a federated credential (GitHub OIDC, Azure Pipelines, AKS workload identity)",
        role: "what the application had, and no more",
        role_scope: "the resources it uses",
        breaks: "whatever signs in with it; az ad app credential reset without --append deletes ALL passwords and keys of the application",
        ..service("Microsoft Entra ID", "")
    },
    Service {
        passwordless: "an Entra token for resource 499b84ac-1321-427f-aa17-267ca6975798; in pipelines System.AccessToken",
        role: "the permission in the project, for a managed identity as its user",
        role_scope: "the project",
        breaks: "pipelines, feeds and git remotes that use it",
        ..service("Azure DevOps", "")
    },
    Service {
        passwordless: "managed identity with OAuth for Databricks; in pipelines workload identity federation",
        role: "the workspace permission the job needs",
        role_scope: "the job or cluster",
        breaks: "jobs and pipelines that use it",
        ..service("Databricks", "")
    },
    Service {
        passwordless: "Authentication=Active Directory Default (SqlClient 3.0), authentication=ActiveDirectoryDefault (JDBC 12.2), Authentication=ActiveDirectoryMsi (ODBC 17.3.1.1); CREATE USER [identity] FROM EXTERNAL PROVIDER",
        role: "db_datareader (or what it needs) for the contained user",
        role_scope: "the database",
        breaks: "new logins fail, open sessions go on",
        ..service("Databases", "sql")
    },
    Service {
        passwordless: "an Entra token as password (Azure Database for PostgreSQL or MySQL), where the server is one",
        role: "the database role mapped to the identity",
        role_scope: "the database",
        breaks: "new logins fail, open sessions go on",
        ..service("Databases", "")
    },
    Service {
        passwordless: "an Entra token (az ml online-endpoint with auth_mode: aad_token)",
        role: "AzureML Data Scientist",
        role_scope: "the workspace",
        breaks: "callers of the endpoint",
        ..service("Azure Machine Learning", "")
    },
    Service {
        passwordless: "DefaultAzureCredential() for the client",
        role: "Azure Maps Data Reader",
        role_scope: "the account",
        breaks: "the old key stops at once",
        ..service("Azure Maps", "")
    },
    Service {
        passwordless: "Microsoft Entra sign-in in front of the app; identities for its triggers",
        role: "Website Contributor for deployments",
        role_scope: "the app",
        breaks: "callers, webhooks and Event Grid subscriptions with that key; deployments with that profile",
        deploy_time: LIST_KEYS,
        ..service("Azure App Service and Functions", "")
    },
];

/// What is known of the finding's service.
pub fn of(finding: &Finding) -> Option<&'static Service> {
    let title = finding.title.to_ascii_lowercase();
    SERVICES.iter().find(|service| {
        service.provider == finding.rule.provider
            && (service.about.is_empty()
                || finding.rule.id.contains(service.about)
                || title.contains(service.about))
    })
}

/// How a shared access signature is ended, and what else ends with it.
pub fn end_of_sas(finding: &Finding) -> Option<&'static str> {
    let title = &*finding.title;
    let by_policy = finding.reasons.iter().any(|r| r.contains("stored policy"));
    if !finding.rule.id.contains("sas") {
        return None;
    }
    Some(if title.contains("user delegation") {
        "az storage account revoke-delegation-keys ends all user delegation SAS of the account, after some minutes of caching"
    } else if by_policy {
        "deleting or renaming its stored access policy ends it and every SAS of that policy, within about 30 seconds"
    } else if title.contains("account SAS") {
        "only regenerating the account key that signed it ends it, and with it everything on that key; which key is not known, likely key1"
    } else if title.contains("Storage") || title.contains("Files") {
        "only regenerating the account key that signed it ends it (or deleting the resource), and with it everything on that key"
    } else if title.contains("messaging") || title.contains("IoT") {
        "renewing the key of the rule named in skn ends it, and all tokens of that rule"
    } else {
        return None;
    })
}
