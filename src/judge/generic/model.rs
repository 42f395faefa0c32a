//! The model: a sum of weighted features, so that each can say what it added.
//!
//! The weights are data (`patterns/generic/model.toml`), made by `examples/train_generic.rs`.

use super::super::Probe;
use super::features::{COUNT, Feature, Features, Lookout};
use super::name::Name;

include!(concat!(env!("OUT_DIR"), "/model.rs"));

/// The weights, by feature, and what reads the features.
#[derive(Clone, Debug)]
pub struct Model {
    weights: [f32; COUNT],
    lookout: Lookout,
}

/// Why a value was taken for a secret: what each feature added to the score.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// Log-odds; 0 is as likely as not.
    pub score: f32,
    /// Features that count, with what they added, the weightiest first.
    pub parts: Box<[(Feature, f32)]>,
    /// All of them, of a [thorough](crate::pipeline::Options::thorough) sweep: they take more memory than
    /// the rest of a finding.
    pub features: Option<Box<Features>>,
    /// Whether something else than the score keeps the confidence low.
    pub capped: bool,
}

impl Default for Model {
    fn default() -> Self {
        Self::built_in()
    }
}

impl Model {
    /// The model that was trained.
    pub fn built_in() -> Self {
        let weight = |feature: &Feature| {
            let found = WEIGHTS.binary_search_by(|(name, _)| (*name).cmp(feature.name()));
            found.map_or(0.0, |at| WEIGHTS[at].1)
        };
        let mut weights = [0.0; COUNT];
        for (slot, feature) in weights.iter_mut().zip(Feature::ALL) {
            *slot = weight(feature);
        }
        Self {
            weights,
            lookout: Lookout::default(),
        }
    }

    /// What can be said of a value by a name.
    pub fn read(&self, probe: &Probe<'_>, name: &Name) -> Features {
        let mut features = Features::of_match(probe, name);
        self.look_around(probe, &mut features);
        features
    }

    /// Adds to the features of a match those of the text around.
    pub fn look_around(&self, probe: &Probe<'_>, features: &mut Features) {
        features.look_around(probe, &self.lookout);
    }

    /// The highest score that a match with these features has anywhere.
    pub fn most(&self, features: &Features) -> f32 {
        /// More than what adding up in another order changes.
        const ROUNDING: f32 = 1e-3;
        let gains = features.open().map(|f| self.weights[f as usize].max(0.0));
        self.score(features) + gains.sum::<f32>() + ROUNDING
    }

    /// The log-odds that a value with these features is a secret.
    pub fn score(&self, features: &Features) -> f32 {
        self.weights
            .iter()
            .zip(&features.0)
            .map(|(weight, value)| weight * value)
            .sum()
    }

    /// The score with what each feature added to it.
    pub fn explain(&self, features: &Features) -> Explanation {
        let mut parts: Vec<(Feature, f32)> = Feature::ALL
            .iter()
            .map(|&feature| {
                (
                    feature,
                    self.weights[feature as usize] * features.get(feature),
                )
            })
            .filter(|(_, added)| *added != 0.0)
            .collect();
        parts.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        Explanation {
            score: self.score(features),
            parts: parts.into(),
            features: None,
            capped: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_feature_has_its_weight_and_each_weight_its_feature() {
        let mut names: Vec<&str> = Feature::ALL.iter().map(|f| f.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), COUNT, "names of features are distinct");
        let weights: Vec<&str> = WEIGHTS.iter().map(|(name, _)| *name).collect();
        assert_eq!(weights, names);
    }

    #[test]
    fn an_explanation_adds_up() {
        let model = Model::built_in();
        let mut features = Features([0.0; COUNT]);
        for (index, value) in features.0.iter_mut().enumerate() {
            *value = (index % 3) as f32 / 2.0;
        }
        let told = model.explain(&features);
        let sum: f32 = told.parts.iter().map(|(_, added)| added).sum();
        assert!((sum - model.score(&features)).abs() < 1e-3);
    }
}
