//! Which crate may lean on which: the edges of the plan and no others.

use super::Finding;
use crate::cargo::{Dependency, Need, Origin, Package};
use crate::rooms;

/// Every edge between our crates that the plan does not have, and every crate it does not know.
pub fn check(packages: &[Package]) -> Vec<Finding> {
    packages.iter().flat_map(edges_of).collect()
}

fn edges_of(package: &Package) -> Vec<Finding> {
    let place = manifest(package);
    let Some(room) = rooms::find(rooms::of_package(&package.name)) else {
        return vec![Finding::at(&place, "no such room in the plan; add it to `xtask::rooms`")];
    };
    let ours = package
        .dependencies
        .iter()
        .filter(|needed| needed.origin == Origin::House && needed.need == Need::Always);
    let unplanned = ours.filter(|needed| !room.uses.contains(&rooms::of_package(&needed.name)));
    let say = |needed: &Dependency| {
        let (from, to) = (room.name, rooms::of_package(&needed.name));
        format!(
            "{from} ─► {to} is not an edge of the plan; hand a function down from `purlin::wire`"
        )
    };
    unplanned.map(|needed| Finding::at(&place, say(needed))).collect()
}

/// The engine's list of guests is closed: a crate or a feature more is a decision, not an addition.
pub fn engine_guests(packages: &[Package]) -> Vec<Finding> {
    let engine = packages.iter().filter(|it| rooms::of_package(&it.name) == rooms::ENGINE);
    engine.flat_map(|engine| guests(engine).flat_map(|guest| refuse(engine, guest))).collect()
}

fn guests(package: &Package) -> impl Iterator<Item = &Dependency> {
    let always = package.dependencies.iter().filter(|needed| needed.need == Need::Always);
    always.filter(|needed| needed.origin == Origin::Guest)
}

fn refuse(engine: &Package, guest: &Dependency) -> Vec<Finding> {
    let place = manifest(engine);
    let Some((_, allowed)) = rooms::ENGINE_USES.iter().find(|(name, _)| *name == guest.name) else {
        let say = format!("the engine may not use `{}`; its list is closed", guest.name);
        return vec![Finding::at(&place, say)];
    };
    let extra = guest.features.iter().filter(|feature| !allowed.contains(&feature.as_str()));
    let say = |feature| format!("the engine may not use `{}` with `{feature}`", guest.name);
    extra.map(|feature| Finding::at(&place, say(feature))).collect()
}

fn manifest(package: &Package) -> String {
    format!("crates/{}/Cargo.toml", rooms::of_package(&package.name))
}
