//! The families of identifiable keys: signatures, sizes and seeds, as Microsoft publishes them.

use super::{Family, Layout, Power, Role};

const fn role(seed: &'static [u8; 8], name: &'static str, power: Power) -> Role {
    Role {
        seed,
        name,
        power,
        grants: "",
    }
}

impl Role {
    const fn grants(self, grants: &'static str) -> Self {
        Self { grants, ..self }
    }
}

const fn family(
    signature: &'static str,
    service: &'static str,
    layout: Layout,
    roles: &'static [Role],
) -> Family {
    Family {
        signature,
        service,
        layout,
        roles,
        url_safe: false,
        rewritten: false,
    }
}

/// The messaging services share their seeds.
const MESSAGING: &[Role] = &[
    role(b"Manage00", "key that may manage", Power::Full).grants("sends, receives and manages"),
    role(b"Send0000", "key that may send", Power::Broad).grants("sends; does not receive"),
    role(b"Listen00", "key that may listen", Power::Broad).grants("receives; does not send"),
    role(b"System00", "system key", Power::Broad),
    role(b"Unknown0", "key", Power::Broad),
];

/// Every family whose layout and seeds are published.
pub const FAMILIES: &[Family] = &[
    family(
        "+ASt",
        "Azure Storage",
        Layout::Bytes64,
        &[role(b"Default0", "account key", Power::Full)],
    ),
    family(
        "ACDb",
        "Azure Cosmos DB",
        Layout::Bytes64,
        &[
            role(b"MastRW00", "read-write key", Power::Full)
                .grants("reads, writes and deletes every database of the account"),
            role(b"MastRO00", "read-only key", Power::Broad)
                .grants("reads every database of the account"),
            role(b"SysAll00", "system key", Power::Full),
            role(b"SystRW00", "system read-write key", Power::Full),
            role(b"SystRO00", "system read-only key", Power::Broad)
                .grants("reads every database of the account"),
            role(b"Resour00", "resource key", Power::Broad),
            role(b"Encryp00", "encryption key", Power::Broad),
        ],
    ),
    family(
        "+ABa",
        "Azure Batch",
        Layout::Bytes64,
        &[role(b"AbAcct00", "account key", Power::Full)],
    ),
    family(
        "+AMC",
        "Azure ML Studio (classic)",
        Layout::Bytes64,
        &[role(b"Classic0", "web service key", Power::Scoped)],
    ),
    family(
        "APIM",
        "Azure API Management",
        Layout::Bytes64,
        &[
            role(b"Tenant00", "direct management key", Power::Full)
                .grants("manages the service over its direct management API"),
            role(b"Gatewy00", "self-hosted gateway key", Power::Broad),
            role(b"GitKey00", "repository key", Power::Broad),
            role(b"IoTHub00", "subscription key", Power::Broad),
        ],
    ),
    family("+ASb", "Azure Service Bus", Layout::Bytes32, MESSAGING),
    family("+AEh", "Azure Event Hubs", Layout::Bytes32, MESSAGING),
    family("+ARm", "Azure Relay", Layout::Bytes32, MESSAGING),
    family(
        "AIoT",
        "Azure IoT Hub",
        Layout::Bytes32,
        &[
            role(b"IoTHub00", "service key", Power::Full),
            role(b"DpsKey00", "provisioning service key", Power::Full)
                .grants("enrols devices of one's own"),
            role(b"Device00", "device key", Power::Scoped).grants("acts as the one device"),
        ],
    ),
    Family {
        rewritten: true,
        ..family(
            "AzCa",
            "Azure Cache for Redis",
            Layout::Bytes32,
            &[role(b"Access00", "access key", Power::Broad)],
        )
    },
    family(
        "AZEG",
        "Azure Event Grid",
        Layout::Bytes32,
        &[role(b"SendRecv", "access key", Power::Scoped)],
    ),
    Family {
        url_safe: true,
        ..family(
            "AzFu",
            "Azure Functions",
            Layout::Bytes40,
            &[
                role(b"Master00", "master key", Power::Full)
                    .grants("calls every function of the app and manages its keys"),
                role(b"System00", "system key", Power::Broad),
                role(b"Functi00", "function key", Power::Scoped)
                    .grants("calls the one function, or all of the app"),
            ],
        )
    },
    family(
        "AzSe",
        "Azure AI Search",
        Layout::Bytes39,
        &[
            role(b"PAdmin00", "admin key", Power::Full)
                .grants("manages the service and all indexes"),
            role(b"Query000", "query key", Power::Scoped).grants("reads all indexes"),
        ],
    ),
    family(
        "+ACR",
        "Azure Container Registry",
        Layout::Bytes39,
        &[role(b"ACRDflt0", "password", Power::Broad)],
    ),
];
