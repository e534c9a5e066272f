# The Debian package: `cpack -G DEB` in a build that was configured with the prefix /usr
# (scripts/package does both). It holds the program and what belongs to it; the library's
# headers and archives are of the component "development" and stay out.
set(CPACK_PACKAGE_NAME passation)
set(CPACK_PACKAGE_VENDOR "The passation authors")
set(CPACK_PACKAGE_CONTACT_ADDRESS passation@localhost)
set(CPACK_PACKAGE_CONTACT "The passation authors <${CPACK_PACKAGE_CONTACT_ADDRESS}>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_GENERATOR DEB)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_COMPONENTS_ALL Unspecified)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "vault and handover of OVH mail passwords")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
    "passation keeps the passwords of role mailboxes (technique@, contact@ ...) at
OVH in an encrypted vault, changes them there and proves each change by a
login, lends them for a time, and takes them back: a departure or the end of a
contract replaces what was known and ends in a signed statement.
.
passation garde les mots de passe des boîtes de rôle chez OVH dans un coffre
chiffré, les y change et prouve chaque changement par une connexion, les prête
pour un temps, et les reprend : un départ ou une fin de contrat remplace ce qui
était connu et finit par un procès-verbal signé.")

# What is linked is found by dpkg-shlibdeps. What is loaded when first needed is not: without
# jansson, libcurl and libcrypto nothing of OVH works, without expat no handover; the others are
# missed where they are asked for.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS
    "libexpat1 (>= 2.4), libjansson4 (>= 2.14), libcurl4 (>= 7.85) | libcurl4t64, libssl3 | libssl3t64, ca-certificates")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "libzxcvbn0, libqrencode4, libncursesw6")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "age, systemd, man-db")

# The date of a release is its commit's (SOURCE_DATE_EPOCH), so that a package is the same
# wherever it is built.
string(TIMESTAMP PASSATION_CHANGELOG_DATE "%a, %d %b %Y %H:%M:%S +0000" UTC)
configure_file(dist/debian/changelog.in dist/debian/changelog @ONLY)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_SOURCE_DIR}/scripts/cmake/package-tree.cmake)
set(CPACK_PASSATION_COPYRIGHT ${CMAKE_CURRENT_SOURCE_DIR}/dist/debian/copyright)
set(CPACK_PASSATION_CHANGELOG ${CMAKE_CURRENT_BINARY_DIR}/dist/debian/changelog)
include(CPack)
